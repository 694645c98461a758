"""Presets: made of a run, checked, named wherever a run is, and what ships."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from skimage import data

from colorization import Colorizer
from colorization.cli import main
from colorization.evaluation import evaluate
from colorization.inference import runtimes
from colorization.core import image_files
from colorization.runs import resolve, folder
from colorization.core.errors import InputError
from vgg_eval import judge

SHIPPED = [preset.name for preset in resolve.all_presets()]


@pytest.fixture(scope="module")
def made(experiments, smoke_folder, tmp_path_factory):
    """A folder of presets made of the smoke runs."""
    folder = tmp_path_factory.mktemp("presets")
    for run, name, *more in (
        ("classification-smoke", resolve.PHOTOGRAPHS, "--onnx", "--set", "working_size=48"),
        ("regression-smoke", resolve.SMALL_PICTURES),
        ("transfer-smoke", "transfer"),
        ("vgg-smoke", "judge"),
    ):
        told = [f"--{option}={option} told" for option in ("title", "data", "bad-at", "command")]
        assert (
            experiments["preset"].main([str(smoke_folder / run), name, *told, *more, "--to", str(folder)])
            == 0
        )
    return folder


@pytest.fixture
def at(made, monkeypatch):
    """The folder, taken for the package's own."""
    monkeypatch.setattr(resolve, "_FOLDER", made)
    return made


def test_a_preset_colors_as_its_run(at, smoke_runs):
    """Oracle: the run, of which rounding to float16 changes little; half of its bytes."""
    photograph = data.chelsea()
    for name, task, size in ((resolve.PHOTOGRAPHS, "classification", 48), ("transfer", "transfer", None)):
        expected = Colorizer.load(smoke_runs[task], size).colorize(photograph).astype(int)
        found = Colorizer.from_preset(name).colorize(photograph)
        assert (np.abs(found - expected) > 2).mean() < 0.01
        assert np.ptp(found.astype(int), axis=-1).max() > 10
        ratio = (at / name / "best.weights.h5").stat().st_size / (
            (smoke_runs[task] / "best.weights.h5").stat().st_size
        )
        assert ratio < 0.7
    quick = runtimes.of_run(resolve.path(resolve.PHOTOGRAPHS)).colorize(photograph)
    assert (
        np.abs(quick.astype(int) - Colorizer.from_preset(resolve.PHOTOGRAPHS).colorize(photograph)) > 1
    ).mean() < 1e-3


def test_a_judge_is_a_preset_too(at, smoke_folder):
    """Oracle: its run's probabilities."""
    rgb = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    expected = judge.load(smoke_folder / "vgg-smoke").probabilities(rgb)
    np.testing.assert_allclose(judge.load(resolve.path("judge")).probabilities(rgb), expected, atol=0.02)


def test_colorize_image_chooses_by_the_size_of_the_picture(at, tmp_path, capsys):
    """Oracle: the two presets themselves; --model NAME is the same as the choice."""
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    image_files.write(small, data.astronaut()[:64:2, :64:2])
    image_files.write(large, data.chelsea()[:80, :100])
    assert main.main(["image", str(small), str(large), "-o", str(tmp_path / "out")]) == 0
    for path, name in ((small, resolve.SMALL_PICTURES), (large, resolve.PHOTOGRAPHS)):
        expected = Colorizer.from_preset(name).colorize(image_files.read(path)).astype(int)
        assert (np.abs(image_files.read(tmp_path / "out" / path.name) - expected) > 1).mean() < 1e-3
        named = ["image", str(path), "--model", name, "-o", str(tmp_path / f"named-{name}")]
        assert main.main(named) == 0
        again = image_files.read(tmp_path / f"named-{name}" / path.name)
        np.testing.assert_array_equal(again, image_files.read(tmp_path / "out" / path.name))
    capsys.readouterr()
    assert main.main(["presets"]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {
        *(folder.name for folder in at.iterdir())
    }
    assert main.main(["presets", "photos"]) == 0
    assert "bad-at told" in capsys.readouterr().out
    assert main.main(["presets", "photos", "--path"]) == 0
    assert capsys.readouterr().out == f"{at / 'photos'}\n"
    assert main.main(["presets", "--path"]) == 2


def test_a_folder_of_a_presets_name_is_not_in_its_way(at, tmp_path, monkeypatch, capsys):
    """Oracle: the preset itself; a run folder of that name comes first."""
    monkeypatch.chdir(tmp_path)
    image_files.write(tmp_path / "photos" / "a.png", data.chelsea()[:80, :100])
    assert main.main(["image", "photos/a.png", "-o", "out"]) == 0
    assert resolve.run_folder("photos") == at / "photos"
    shutil.copytree(at / "transfer", tmp_path / "transfer")
    assert resolve.run_folder("transfer").resolve() == tmp_path / "transfer"


def test_nothing_is_reported(tmp_path):
    """Oracle: the home folder, where onnxruntime keeps its telemetry's identifier unless that is off."""
    image_files.write(tmp_path / "a.png", data.chelsea()[:40, :40])
    (tmp_path / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    command = ["-m", "colorization.cli", "image", tmp_path / "a.png", "-o", tmp_path / "out"]
    environment = {**kept, "HOME": str(tmp_path / "home")}
    subprocess.run([sys.executable, *command], env=environment, check=True)
    assert not list((tmp_path / "home").rglob("*onnxruntime*"))


def test_large_pictures_are_colored_in_strips(at, tmp_path, monkeypatch):
    """Oracle: the ONNX of the preset, which takes the picture in one piece, and is not asked."""
    image_files.write(tmp_path / "a.png", data.chelsea()[:80, :100])
    assert main.main(["image", str(tmp_path / "a.png"), "-o", str(tmp_path / "whole")]) == 0
    monkeypatch.setattr(main, "_LARGE", 7999)
    monkeypatch.setattr(runtimes.Exported, "colorize", lambda *_, **__: pytest.fail("in one piece"))
    assert main.main(["image", str(tmp_path / "a.png"), "-o", str(tmp_path / "strips")]) == 0
    whole, strips = (image_files.read(tmp_path / name / "a.png").astype(int) for name in ("whole", "strips"))
    assert (np.abs(whole - strips) > 1).mean() < 1e-3


def test_what_was_measured_is_named_by_the_presets_own_temperature(
    experiments, smoke_folder, tmp_path, capsys
):
    """Oracle: evaluation.evaluate at both temperatures; of a judge's run its name, not its place."""
    told = [f"--{option}=told" for option in ("title", "data", "bad-at", "command")]
    run = tmp_path / "run"
    shutil.copytree(smoke_folder / "transfer-smoke", run)
    expected = evaluate.evaluate(run, temperature=0.5)
    more = ["--to", str(tmp_path), "--set", "temperature=0.5"]
    assert experiments["preset"].main([str(run), "made", *told, *more]) == 0
    metrics = folder.read_metrics(tmp_path / "made")
    assert list(metrics) == ["dev", "dev at T=0.89"]
    assert metrics["dev"] == expected
    assert folder.read_config(tmp_path / "made").vgg_weights == "vgg-smoke"
    assert experiments["preset"].main([str(run), "made", *told, "--set", "width=1"]) == 2
    assert "--set takes temperature, vgg_weights, working_size" in capsys.readouterr().err


def test_a_card_tells_how_the_weights_came_about(experiments, smoke_folder, tmp_path):
    """Oracle: the run as it is made here: begun with another's weights, and rebalanced afterwards."""
    told = [f"--{option}=told" for option in ("title", "data", "bad-at", "command")]
    start = smoke_folder / "classification-smoke"
    settings = ["--set", f"start={start}", "--set", "epochs=1", "--run-dir", str(tmp_path / "longer")]
    assert experiments["classification"].main(["--preset", "smoke", *settings]) == 0
    tune = [str(tmp_path / "longer"), "--strengths", "0.25", "--temperatures", "0.5", "--images", "8"]
    assert experiments["tune"].main([*tune, "--apply", str(tmp_path / "tuned")]) == 0
    make = [str(tmp_path / "tuned"), "made", *told, "--to", str(tmp_path)]
    assert experiments["preset"].main(make) == 0
    card = (tmp_path / "made" / resolve.CARD).read_text()
    assert "- Training: 1 epochs after 3 of classification-smoke, " in card
    assert "- Rebalanced after the training by 0.25" in card
    assert folder.read_config(tmp_path / "made").start == "classification-smoke"


def test_measuring_a_preset_leaves_it_as_it_is(at):
    before = {path: path.read_bytes() for path in resolve.path(resolve.PHOTOGRAPHS).iterdir()}
    report = evaluate.evaluate(resolve.run_folder(resolve.PHOTOGRAPHS))
    assert report["methods"]["annealed"]["auc"] > 50
    assert {path: path.read_bytes() for path in resolve.path(resolve.PHOTOGRAPHS).iterdir()} == before


@pytest.mark.parametrize("file", ["best.weights.h5", "config.json", "colorizer.onnx", resolve.CHECKSUMS])
@pytest.mark.parametrize("harm", ["a flipped byte", "missing"])
def test_a_damaged_preset_is_refused(at, tmp_path, monkeypatch, capsys, file, harm):
    shutil.copytree(at, tmp_path / "presets")
    monkeypatch.setattr(resolve, "_FOLDER", tmp_path / "presets")
    path = tmp_path / "presets" / resolve.PHOTOGRAPHS / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink() if harm == "missing" else path.write_bytes(content)
    image_files.write(tmp_path / "photo.png", data.chelsea()[:40, :40])
    assert main.main(["image", str(tmp_path / "photo.png"), "-o", str(tmp_path / "out")]) == 2
    assert "error: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match=r"missing or damaged|There is no preset"):
        Colorizer.from_preset(resolve.PHOTOGRAPHS)


def test_unknown_names_are_refused(at, capsys):
    for name in ("nothing", "../photos", "photos/"):
        with pytest.raises(
            InputError, match="the presets are: cifar10-classification, judge, photos, transfer"
        ):
            Colorizer.from_preset(name)
    assert main.main(["evaluate", "nothing"]) == 2
    assert "no run folder" in capsys.readouterr().err


def test_training_begins_with_a_preset(at, experiments, tmp_path):
    """Oracle: with a learning rate of 0 the kernels stay those of the preset."""
    run_dir = tmp_path / "run"
    options = [
        "--set",
        "start=photos",
        "--set",
        "learning_rate=0",
        "--set",
        "epochs=1",
        "--run-dir",
        str(run_dir),
    ]
    assert experiments["classification"].main(["--preset", "smoke", *options]) == 0
    found, expected = folder.read_weights(run_dir), folder.read_weights(resolve.path("photos"))
    for name in (name for name in expected if "kernel" in name):
        np.testing.assert_array_equal(found[name], expected[name].astype("float32"))


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_whole_and_says_what_it_is(name):
    """Oracle: the checksums; the card's own headings; a colorizer gives color and keeps the lightness."""
    folder = resolve.path(name)
    card = (folder / resolve.CARD).read_text(encoding="utf-8")
    for told in ("- Data: ", "- Command: `", "- Bad at: ", "## Measured"):
        assert told in card
    texts = [path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix in (".json", ".md")]
    assert not any(word in text for text in texts for word in ("/home/", "/root/", "/tmp/"))
    if json.loads((folder / "config.json").read_text())["task"] == "vgg":
        assert judge.load(folder).probabilities(data.chelsea()[None, :32, :32]).shape == (1, 10)
        return
    photograph = data.coffee()
    colored = Colorizer.from_preset(name).colorize(photograph)
    assert colored.shape == photograph.shape
    assert np.ptp(colored.astype(int), axis=-1).mean() > 3
