"""Every experiment from start to end, as its command line runs it, at smoke size or smaller."""

import csv
import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest
from skimage import data

from colorization.core import image_files
from colorization.core.config import ClassificationConfig
from colorization.core.errors import InputError
from colorization.datasets import photographs
from colorization.evaluation import evaluate
from colorization.inference import load_model
from colorization.runs import RunFolder
from colorization.training import train
from vgg_eval import columns, judge

SMALLER = {"train_size": 100, "epochs": 1, "width": 0.03}
CARD = [f"--{option}=told" for option in ("title", "data", "bad-at", "command")]


def as_options(changes):
    return [word for name, value in changes.items() for word in ("--set", f"{name}={json.dumps(value)}")]


@pytest.fixture(scope="module")
def runs(experiments, tmp_path_factory):
    """The folder of runs, each trained by its experiment: the judge at smoke size, the colorizers at a smaller one."""
    folder = tmp_path_factory.mktemp("runs")
    commands = {
        "judge": [],
        "regression": as_options(SMALLER),
        "classification": as_options(SMALLER),
        "transfer": [*as_options(SMALLER), "--vgg-weights", str(folder / "judge-smoke")],
    }
    for name, more in commands.items():
        words = ["--variant", "smoke", "--run-dir", str(folder / f"{name}-smoke"), *more]
        assert experiments[name].main(words) == 0
    return folder


@pytest.fixture(scope="module")
def figures(experiments, runs):
    """The folder that figure7.py fills; it finds all runs finished but the control, which it trains."""
    variants, folder = experiments["figure7"].VARIANTS, runs / "figures"
    with pytest.MonkeyPatch.context() as patch:
        for role in ("control", "regression", "classification", "transfer"):
            changes = {"epochs": 1} if role == "control" else SMALLER
            patch.setitem(variants, role, {"smoke": dataclasses.replace(variants[role]["smoke"], **changes)})
        words = ["--variant", "smoke", "--runs", str(runs), "-o", str(folder)]
        assert experiments["figure7"].main(words) == 0
        assert experiments["figure8"].main([*words, "--images", "99,3"]) == 0
        assert experiments["figure8"].main([*words, "--failures", "2"]) == 0
    return folder


def test_the_judge_learns(runs):
    """Oracle: nearly all dev images of the synthetic set, which is drawn to be told apart by lightness and color;
    Keras's own accuracy in the best epoch."""
    run = RunFolder(runs / "judge-smoke")
    found = judge.evaluate(run.path)
    assert found["truth"] > 0.9
    best = min(run.history(), key=lambda row: row["val_loss"])
    assert found["truth"] == pytest.approx(best["val_accuracy"], abs=1.5 / found["images"])


@pytest.mark.parametrize("task", ["regression", "classification", "transfer"])
def test_a_colorizer_is_trained_and_measured(runs, task):
    """Oracle: the metrics of a new evaluation; the settings of the command; the transfer has the judge's blocks."""
    run = RunFolder(runs / f"{task}-smoke")
    stored = run.metrics()
    assert list(stored) == ["dev"]
    assert evaluate(run.path)["methods"]["truth"] == stored["dev"]["methods"]["truth"]
    assert dataclasses.asdict(run.config).items() >= SMALLER.items()
    assert run.finished_epochs() == 1
    if task == "transfer":
        blocks, judges = run.read_frozen(), RunFolder(runs / "judge-smoke").weights()
        assert {name.split("_")[0] for name in blocks} == {"block1", "block2", "block3", "block4"}
        for name, array in blocks.items():
            np.testing.assert_array_equal(array, judges[name])


@pytest.mark.parametrize("name", ["regression", "classification", "transfer", "judge", "judge-all"])
def test_the_variant_original_runs_from_start_to_end(runs, experiments, name):
    """Oracle: the settings of the code; the hidden layers of the judge that the weights came from; the weights of
    the last epoch predict."""
    experiment, _, which = name.partition("-")
    small = {**SMALLER, "epochs": 2, "dev_size": 20, "test_size": 20}
    blocks = {"batch_norm": True, "vgg_size": 32, "width": 0.125}
    more = {
        "transfer": {**blocks, "vgg_width": 0.125, "vgg_blocks": 3, "frozen_blocks": 3},
        "judge": {**blocks, "head_width": 64},
    }.get(experiment, {})
    run = RunFolder(runs / f"{name}-original")
    variant = f"original-{which}" if which else "original"
    words = ["--variant", variant, "--data", "synthetic", "--run-dir", str(run.path)]
    words += ["--vgg-weights", str(runs / "judge-smoke")] if more else []
    assert experiments[experiment].main([*words, *as_options(small | more)]) == 0
    assert (run.config.learning_rate, run.config.predict_by, run.config.half_l2) == (1e-3, "last", True)
    last, found = run.read_state()[0]["model"], run.weights()
    for path, array in last.items():
        np.testing.assert_array_equal(found[path], array)
    if experiment == "judge":
        frozen = {path.split("/")[0].split("_")[0] for path in found.keys() - last.keys()}
        assert frozen == (set() if which else {"fc6", "fc7", *(f"block{b}" for b in range(1, 6))})
        given = RunFolder(runs / "judge-smoke").weights()["fc6/kernel"]
        assert (found["fc6/kernel"] == given).all() == (not which)
        np.testing.assert_allclose(found["fc6/kernel"], given, atol=0.05)
    elif experiment != "regression":
        assert "val_pixel_accuracy" in run.history()[0]


def test_figures_are_made_from_start_to_end(runs, figures):
    """Oracle: the listing; the judges asked anew in test_figure7; the control was trained on gray images."""
    names = {path.name for path in figures.iterdir() if path.is_file()}
    expected = {"figure7.md", "figure7.csv", "figure7.json"}
    expected |= {f"{name}.png" for name in ("figure7", "confusion", "temperature", "figure8", "failures")}
    assert names == expected
    report = json.loads((figures / "figure7.json").read_text())
    assert report["images"] == 100
    assert report["results"]["judge"]["ground truth"]["accuracy"] > 0.9
    assert RunFolder(runs / "judge-smoke-gray").config.gray


def test_options_of_figure8_that_exclude_each_other(experiments, capsys):
    for words in (["--columns", "0"], ["--failures", "3", "--images", "1"]):
        with pytest.raises(SystemExit):
            experiments["figure8"].main(words)
        assert "usage: " in capsys.readouterr().err


def test_gray_images_on_the_wrong_scale_are_black_to_the_judge(runs, experiments, tmp_path):
    """Oracle: the judge's own accuracy on the same images; on 0 to 1 all are black: one class."""
    name = str(runs / "judge-smoke")
    assert experiments["grayscale"].main([name, "-o", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "grayscale.json").read_text())[name]
    asked = judge.load(name)
    test, _ = asked.run.images("test")
    for kind, rgb in (("true", test.images), ("gray", columns.gray(test.images))):
        right = np.mean(asked.probabilities(rgb).argmax(axis=1) == test.labels)
        assert found["pictures"][f"{kind}, 0 to 255"]["all"]["accuracy"] == pytest.approx(right)
        assert found["pictures"][f"{kind}, 0 to 1"]["all"]["accuracy"] == pytest.approx(0.1, abs=0.1)
    assert "| gray, 0 to 1 |" in (tmp_path / "grayscale.md").read_text()


def test_a_run_is_tuned_and_made_a_preset(runs, experiments, tmp_path, capsys):
    """Oracle: the table has each combination; the preset has the shifted bias in its weights, and says so."""
    run, tuned = runs / "classification-smoke", tmp_path / "tuned"
    words = ["--strengths", "0.25", "--temperatures", "0.5,1", "--images", "8", "-o", str(tmp_path / "table")]
    assert experiments["tune"].main([str(run), *words, "--apply", str(tuned)]) == 0
    assert capsys.readouterr().out.endswith(f"{tuned}\n")
    with (tmp_path / "table" / "tune.csv").open(newline="") as file:
        assert [row["temperature"] for row in csv.DictReader(file)] == ["0.5", "1.0"]
    assert min(cv2.imread(str(tmp_path / "table" / "tune.png")).shape[:2]) > 300
    assert experiments["preset"].main([str(tuned), "made", *CARD, "--to", str(tmp_path)]) == 0
    made = RunFolder(tmp_path / "made")
    assert "- Rebalanced after the training by 0.25" in made.card_path.read_text()
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 16, 16, 1)).astype("float32")
    plain, shifted = (load_model(RunFolder(path)).predict_on_batch(lightness) for path in (run, made.path))
    shift = (shifted - plain)[0].mean((0, 1))
    assert shift.std() > 0.1
    np.testing.assert_allclose((shifted - plain)[0, 5, 5], shift, atol=0.05)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A folder with 40 crops of photographs."""
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))
    shown = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    for i in range(40):
        image_files.write(tmp_path / "pictures" / f"{i}.png", shown[i % 4][10 * (i // 4) :][:120, :150])
    return tmp_path / "pictures"


def test_photographs_from_folders_to_color(experiments, pictures, tmp_path, capsys):
    """Oracle: sessions and names, by hand: small, then fine, initialized from it; both measured; and tuned on the
    photographs that were held out. Other folders and no folders get one sentence, and a judge sees no classes."""
    main = experiments["photos"].main
    small, fine = tmp_path / "small", tmp_path / "fine"
    tiny = as_options({"epochs": 1, "width": 0.0625, "batch_size": 16})
    assert main(["--data", str(pictures), "--run-dir", str(small), *tiny]) == 0
    start = ["--variant", "fine", "--set", f"init_from={small}"]
    assert main(["--data", str(pictures), "--run-dir", str(fine), *start, *tiny]) == 0
    assert capsys.readouterr().out.count("dev images of photographs") == 2
    told = [(session.get("run"), session["finished_epochs"]) for session in RunFolder(fine).sessions()]
    assert told == [("small", 1), (None, 1)]
    tune = [str(fine), "--strengths", "0", "--temperatures", "1", "--sizes", "64", "--data"]
    assert experiments["tune"].main([*tune, str(pictures)]) == 0
    other = shutil.copytree(pictures, tmp_path / "others" / "pictures")
    assert experiments["tune"].main([*tune, str(other.parent)]) == 2  # other names, hence another draw
    assert "of the held-out images" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"was trained on \d+% of the held-out images"):
        evaluate(fine, source=other.parent)
    assert main([]) == 2
    assert "--data" in capsys.readouterr().err
    assert main(["--set", "crop_from=16"]) == 2
    assert "crop_from=16" in capsys.readouterr().err
    words = ["--variant", "smoke", "--data", str(pictures), "--run-dir", str(tmp_path / "judge")]
    assert experiments["judge"].main(words) == 2
    assert "has no classes" in capsys.readouterr().err


def test_another_look_at_the_folders_takes_what_was_held_out(pictures, tmp_path):
    """Oracle: the run's own evaluation, of pictures that were scaled twice. The folder looks like one of
    classes, which are split otherwise, and would be by a tenth."""
    named = tmp_path / "classes"
    for i, path in enumerate(sorted(pictures.iterdir())):
        image_files.write(named / "train" / "ab"[i % 2] / path.name, image_files.read(path))
    source = photographs.prepare([named], 40)
    config = ClassificationConfig(data=str(source), crop_from=40, epochs=1, width=0.03, batch_size=16)
    run = train(config, tmp_path / "run")
    for split in ("dev", "test"):
        own, found = evaluate(run.path, split), evaluate(run.path, split, source=named)
        assert found["images"] == own["images"]
        for name in ("gray", "annealed"):
            expected = pytest.approx(own["methods"][name]["ab_rmse"], rel=0.03)
            assert found["methods"][name]["ab_rmse"] == expected
