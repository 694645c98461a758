"""Presets: made of a run, checked, named wherever a run is, and what ships."""

import json
import shutil

import numpy as np
import pytest
from skimage import data
from support.pictures import crops

from colorization import Colorizer
from colorization.core import atomic_io, color, metrics
from colorization.core.config import override
from colorization.core.errors import InputError
from colorization.datasets.base import to_square
from colorization.evaluation import evaluate
from colorization.export import Card, make_preset
from colorization.inference import graph, runtimes
from colorization.runs import RunFolder, resolve
from vgg_eval import judge

SHIPPED = [preset.name for preset in resolve.all_presets()]
CARD = Card("title told", "data told", "bad-at told", "command told")


@pytest.fixture(scope="module")
def made(old_runs, tmp_path_factory):
    """A folder of presets made of the runs of version 0.1."""
    folder = tmp_path_factory.mktemp("presets")
    make_preset(old_runs["classification"], folder / "photos", CARD, changes=["working_size=48"], onnx=True)
    make_preset(old_runs["transfer"], folder / "transfer", CARD)
    make_preset(old_runs["vgg"], folder / "judge", CARD)
    return folder


@pytest.fixture
def at(made, monkeypatch):
    """The folder, taken for the package's own."""
    monkeypatch.setattr(resolve, "PRESETS", made)
    return made


def test_a_preset_colors_as_its_run(at, old_runs):
    """Oracle: the run, of which rounding to float16 changes little, and every weight by its half precision."""
    photograph = data.chelsea()
    for name, task, size in (("photos", "classification", 48), ("transfer", "transfer", None)):
        expected = Colorizer.load(old_runs[task], size).colorize(photograph).astype(int)
        found = Colorizer.from_preset(name).colorize(photograph)
        assert (np.abs(found - expected) > 2).mean() < 0.01
        weights, own = RunFolder(at / name).weights(), RunFolder(old_runs[task]).weights()
        for key, array in own.items():
            assert weights[key].dtype == ("float16" if array.ndim > 1 else "float32")
            np.testing.assert_allclose(weights[key], array, rtol=2**-10, atol=1e-7)
    quick = runtimes.of_run(at / "photos").colorize(photograph).astype(int)
    assert (np.abs(quick - Colorizer.from_preset("photos").colorize(photograph)) > 1).mean() < 1e-3


def test_a_judge_is_a_preset_too(at, old_runs):
    """Oracle: its run's probabilities."""
    rgb = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    expected = judge.load(old_runs["vgg"]).probabilities(rgb)
    np.testing.assert_allclose(judge.load(at / "judge").probabilities(rgb), expected, atol=0.02)


def test_presets_are_listed(at):
    """Oracle: the cards' first lines, the tasks and the files' sizes."""
    found = {preset.name: preset for preset in resolve.all_presets()}
    assert list(found) == ["judge", "photos", "transfer"]
    assert {preset.task for preset in found.values()} == {"judge", "classification", "transfer"}
    for preset in found.values():
        assert preset.title == "title told"
        assert preset.size == sum(path.stat().st_size for path in preset.folder.iterdir())
    assert resolve.is_shipped(RunFolder(at / "photos"))
    assert not resolve.is_shipped(RunFolder(at.parent / "photos"))


def test_a_card_tells_how_the_weights_came_about(old_run, tmp_path):
    """Oracle: the run's own files, by hand: initialized from another, rebalanced afterwards, names for paths."""
    run = RunFolder(old_run("classification"))
    told = run.sessions()
    run.write_config(override(run.config, ["init_from=/home/me/runs/first"]))
    run.write_sessions(
        [{**told[0], "run": "first", "finished_epochs": 3, "seconds": 100}, {**told[0], "seconds": 20}]
    )
    run.write_tuned({"strength": 0.25})
    make_preset(run.path, tmp_path / "made", CARD)
    made = RunFolder(tmp_path / "made")
    card = made.card_path.read_text()
    history = run.history()
    best = min(history, key=lambda row: row["val_loss"])
    assert "- Training: 2 epochs after 3 of first, 2 minutes; " in card
    assert f"best dev loss {best['val_loss']:.4g} after epoch {best['epoch']:.0f}" in card
    assert "- Rebalanced after the training by 0.25" in card
    for line in ("# title told", "- Data: data told", "- Bad at: bad-at told", "- Command: `command told`"):
        assert line in card
    measured = run.metrics()["dev"]["methods"]["annealed"]
    assert f"| annealed | {measured['ab_rmse']:.2f} |" in card
    assert made.config.init_from == "first"
    assert "/home/" not in "".join(
        path.read_text() for path in made.path.iterdir() if path.suffix in (".json", ".md")
    )


def test_what_was_measured_is_named_by_the_presets_own_temperature(old_run, tmp_path):
    """Oracle: evaluate at both temperatures; of a judge's run its name, not its place."""
    run_dir = old_run("transfer")
    expected = evaluate(run_dir, temperature=0.5)
    make_preset(run_dir, tmp_path / "made", CARD, changes=["temperature=0.5"])
    made = RunFolder(tmp_path / "made")
    assert list(made.metrics()) == ["dev", "dev at T=0.89"]
    assert made.metrics()["dev"] == expected
    assert made.config.vgg_weights == "vgg"
    with pytest.raises(
        InputError, match=r"width cannot change after the training\. --set accepts temperature, vgg_w"
    ):
        make_preset(run_dir, tmp_path / "made", CARD, changes=["width=1"])


def test_an_older_preset_is_replaced_whole_or_not_at_all(at, old_runs, tmp_path):
    """Oracle: the files; a weight that float16 cannot hold leaves the older one."""
    shutil.copytree(at / "transfer", tmp_path / "made")
    before = atomic_io.fingerprint_of(tmp_path / "made")
    shutil.copytree(old_runs["classification"], tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    arrays = run.weights()
    good = {name: array.copy() for name, array in arrays.items()}
    arrays["block1_conv1/kernel"][0, 0, 0, 0] = 1e6
    run.write_best(arrays, 2)
    with pytest.raises(InputError, match="block1_conv1/kernel contains values outside the range of float16"):
        make_preset(run.path, tmp_path / "made", CARD)
    assert atomic_io.fingerprint_of(tmp_path / "made") == before
    assert {path.name for path in tmp_path.iterdir()} == {"made", "run"}
    run.write_best(good, 2)
    make_preset(run.path, tmp_path / "made", CARD)
    assert RunFolder(tmp_path / "made").config.task == "classification"
    sums = json.loads((tmp_path / "made" / "SHA256SUMS.json").read_text())
    assert sums == {
        path.name: atomic_io.sha256(path)
        for path in (tmp_path / "made").iterdir()
        if path.name != "SHA256SUMS.json"
    }


def test_measuring_a_preset_leaves_it_as_it_is(at):
    """Oracle: the bytes; the metrics that its run had."""
    before = {path: path.read_bytes() for path in (at / "photos").iterdir()}
    report = evaluate(resolve.run_folder("photos"))
    stored = RunFolder(at / "photos").metrics()["dev"]["methods"]["annealed"]
    found = report["methods"]["annealed"]
    assert found.keys() == stored.keys() | {"ciede2000"}  # which the preset was made without
    assert {name: found[name] for name in stored} == pytest.approx(stored, rel=0.01)
    assert {path: path.read_bytes() for path in (at / "photos").iterdir()} == before


@pytest.mark.parametrize("file", ["best.weights.h5", "config.json", "colorizer.onnx", "SHA256SUMS.json"])
@pytest.mark.parametrize("harm", ["a flipped byte", "missing"])
def test_a_damaged_preset_is_refused(made, tmp_path, monkeypatch, file, harm):
    shutil.copytree(made, tmp_path / "presets")
    monkeypatch.setattr(resolve, "PRESETS", tmp_path / "presets")
    path = tmp_path / "presets" / "photos" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink() if harm == "missing" else path.write_bytes(content)
    with pytest.raises(InputError, match=r"missing or damaged|does not exist"):
        Colorizer.from_preset("photos")


@pytest.mark.parametrize("name", ["nothing", "../photos", "photos/"])
def test_unknown_names_are_refused(at, name):
    with pytest.raises(
        InputError, match=r"The preset '.*' does not exist\. The presets are: judge, photos, transfer"
    ):
        Colorizer.from_preset(name)


def whole(side):
    """Whole photographs at the size at which a colorizer sees them, (3, side, side, 3) uint8."""
    return np.stack(
        [to_square(photograph(), side) for photograph in (data.astronaut, data.chelsea, data.coffee)]
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_whole_and_says_what_it_is(name):
    """Oracle: the checksums; the card's own headings; a judge's classes. On photographs that it has not seen, the
    expected colors of a colorizer are nearer to the truth than gray, and its default ones are colorful."""
    run = RunFolder(resolve.preset_folder(name))
    card = run.card_path.read_text(encoding="utf-8")
    for told in ("- Data: ", "- Command: `", "- Bad at: ", "## Measured"):
        assert told in card
    texts = [
        path.read_text(encoding="utf-8") for path in run.path.iterdir() if path.suffix in (".json", ".md")
    ]
    assert not any(word in text for text in texts for word in ("/home/", "/root/", "/tmp/"))
    if run.config.task == "judge":
        probabilities = judge.load(run.path).probabilities(data.chelsea()[None, :32, :32])
        assert probabilities.shape == (1, 10)
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        return
    colorizer = Colorizer.from_preset(name)
    rgb = crops() if run.config.image_size == 32 else whole(run.config.working_size)
    gray = graph.gray(color.rgb_to_lab(rgb)[..., :1])
    expected = colorizer.colorize(rgb, decoding="mean" if "mean" in colorizer.task.decodings else None)
    assert metrics.squared_rgb_errors(rgb, expected).mean() < metrics.squared_rgb_errors(rgb, gray).mean()
    assert metrics.colorfulness(colorizer.colorize(rgb)).mean() > 0.2 * metrics.colorfulness(rgb).mean()
    assert metrics.colorfulness(gray).mean() < 0.02 * metrics.colorfulness(rgb).mean()
