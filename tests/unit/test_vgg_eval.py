"""The judge and the chain of Figures 7 and 8, at smoke size."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from keras import layers, ops
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import resize

from colorization import Colorizer, datasets
from colorization.core import bins, config
from colorization.evaluation import evaluate
from colorization.runs import resolve, folder
from colorization.training import train
from colorization.core.errors import InputError
from vgg_eval import plan, model, figures, judge, columns, figure7, temperatures
from vgg_eval.config import CONFIGS, JudgeConfig
from vgg_eval.columns import METHODS

RGB = datasets.load("synthetic", train_limit=1, test_limit=30).test.images


@pytest.fixture(scope="module")
def used(smoke_folder, smoke_runs):
    return figure7.Runs(smoke_runs, smoke_folder / "vgg-smoke", smoke_folder / "vgg-smoke-gray")


@pytest.fixture
def written(smoke_figures):
    return smoke_figures


def test_layers_are_those_of_figure_6():
    """Oracle: Figure 6's blocks and head, and the published number of VGG16's weights."""
    judge = model.vgg16(frozen_blocks=5)
    convolutions = [layer.filters for layer in judge.layers if isinstance(layer, layers.Conv2D)]
    assert convolutions == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    assert [layer.units for layer in judge.layers if isinstance(layer, layers.Dense)] == [4096, 4096, 10]
    assert judge.input_shape == (None, 224, 224, 3)
    with_thousand = model.vgg16(num_classes=1000)
    assert with_thousand.count_params() == 138_357_544
    assert (
        sum(np.prod(v.shape) for v in judge.trainable_variables) == 25088 * 4096 + 4096 * 4097 + 4096 + 40970
    )


def test_the_defaults_are_the_reports():
    """Oracle: sections 3.2, 4.2 and 5.2."""
    settings = JudgeConfig()
    assert (settings.train_size, settings.dev_size, settings.test_size) == (10_000, 1_000, 1_000)
    assert (settings.batch_size, settings.dev_batch_size, settings.epochs) == (128, 64, 20)
    assert (settings.learning_rate, settings.vgg_size, settings.frozen_blocks) == (1e-4, 224, 5)
    assert model.describe(settings) == "VGG16 at 224 px, ImageNet weights, blocks 1-5 frozen"


def test_images_are_enlarged_bilinearly():
    """Oracle: scikit-image's resize of order 1."""
    found = ops.convert_to_numpy(model.enlarged(RGB[:2], 224))
    assert (found.dtype, found.shape) == ("float32", (2, 224, 224, 3))
    for image, large in zip(RGB, found, strict=False):
        expected = resize(image.astype(float), (224, 224), order=1, mode="edge", anti_aliasing=False)
        np.testing.assert_allclose(large, expected, atol=1e-3)
    np.testing.assert_array_equal(model.enlarged(RGB[:2], 32), RGB[:2])


def test_gray_keeps_the_lightness():
    """Oracle: scikit-image's Lab, within the rounding to 8 bits."""
    gray = columns.gray(RGB)
    assert np.ptp(gray.astype(int), axis=-1).max() <= 1
    lab = rgb2lab(RGB)
    lab[..., 1:] = 0
    assert np.abs(lab2rgb(lab) * 255 - gray).max() < 1.1


def test_a_judge_comes_back_with_its_own_accuracy(used):
    """Oracle: the best epoch's accuracy in the history that Keras wrote, on the same dev images."""
    for run_dir in (used.judge, used.control):
        settings = folder.read_config(run_dir, CONFIGS)
        found = judge.evaluate(run_dir)
        rows = list(csv.DictReader((run_dir / folder.HISTORY).read_text().splitlines()))
        best = min(rows, key=lambda row: float(row["val_loss"]))
        own = found["gray" if settings.gray else "truth"]
        assert own == pytest.approx(float(best["val_accuracy"]), abs=1.5 / found["images"])
        assert json.loads((run_dir / folder.METRICS).read_text())["dev"] == found
        labels = train.load_data(settings).test.labels[datasets.Splits.load(run_dir / folder.SPLITS).dev]
        assert np.bincount(labels).max() == settings.dev_size // 10
    assert judge.evaluate(used.judge)["truth"] > 0.9
    assert judge.evaluate(used.control)["gray"] > 0.9


def test_gray_images_on_the_wrong_scale_are_black_to_the_judge(used, experiments, tmp_path):
    """Oracle: the judge's own accuracy on the same images; on 0 to 1 all are black: one class."""
    assert experiments["grayscale"].main([str(used.judge), "-o", str(tmp_path)]) == 0
    (found,) = json.loads((tmp_path / "grayscale.json").read_text()).values()
    data = train.load_data(folder.read_config(used.judge, CONFIGS))
    rows = datasets.Splits.load(used.judge / folder.SPLITS).test
    judge = judge.load(used.judge)
    for name, rgb in (("true", data.test.images[rows]), ("gray", columns.gray(data.test.images[rows]))):
        right = np.mean(judge.probabilities(rgb).argmax(axis=1) == data.test.labels[rows])
        assert found["pictures"][f"{name}, 0 to 255"]["all"]["accuracy"] == pytest.approx(right)
        assert found["pictures"][f"{name}, 0 to 1"]["all"]["accuracy"] == pytest.approx(0.1, abs=0.1)
    assert "| gray, 0 to 1 |" in (tmp_path / "grayscale.md").read_text()


def test_columns_are_the_colorizers_own_pictures(used):
    """Oracle: Colorizer, which reads the run on its own way."""
    for method in METHODS:
        pictures = columns.colorize(method, used.colorizers, RGB, 0.5)
        assert (pictures.dtype, pictures.shape) == ("uint8", RGB.shape)
        if method.task:
            colorizer = Colorizer.load(used.colorizers[method.task])
            expected = colorizer.colorize(RGB, decoding=method.decoding, temperature=0.5)
            assert (np.abs(pictures.astype(int) - expected) > 1).mean() < 1e-3
    np.testing.assert_array_equal(pictures, RGB)


def test_the_sweep_agrees_with_the_evaluation(used, tmp_path):
    """Oracle: evaluation.evaluate at the same temperature on the same dev split."""
    judge, dev = judge.load(used.judge), figure7.shared_images(used, "dev")
    run_dir = used.colorizers["classification"]
    rows = temperatures.sweep(judge, run_dir, dev, tmp_path)
    assert [row["temperature"] for row in rows] == sorted(temperatures.TEMPERATURES)
    by_temperature = {row["temperature"]: row for row in rows}
    found = evaluate.evaluate(run_dir, "dev")["methods"]
    for temperature, name in ((0.0, "mode"), (bins.TEMPERATURE, "annealed"), (1.0, "mean")):
        assert by_temperature[temperature]["auc"] == pytest.approx(found[name]["auc"], abs=0.05)
        expected = found[name]["colorfulness"]
        assert by_temperature[temperature]["colorfulness"] == pytest.approx(expected, abs=0.2)
    rows[3]["accuracy"], rows[5]["accuracy"], rows[5]["auc"], rows[3]["auc"] = 2, 2, 90, 80
    assert temperatures.best(rows) == temperatures.TEMPERATURES[5]


def test_figure7_says_in_every_form_what_the_judges_said(written, used, tmp_path):
    """Oracle: the judges asked again, column by column."""
    found = json.loads((written / "figure7.json").read_text())
    shown = figure7.shared_images(used, "test")
    assert found["images"] == len(shown.rgb) == 100
    judge, classification = judge.load(used.judge), used.colorizers["classification"]
    on_dev = temperatures.sweep(judge, classification, figure7.shared_images(used, "dev"), tmp_path)
    assert found["temperatures"] == on_dev  # and nowhere else
    assert found["temperature"] == temperatures.best(on_dev)
    text = (written / "figure7.md").read_text()
    rows = list(csv.DictReader((written / "figure7.csv").read_text().splitlines()))
    assert len(rows) == 12
    for role, run_dir in (("judge", used.judge), ("control", used.control)):
        judge = judge.load(run_dir)
        accuracies = []
        for method in METHODS:
            pictures = columns.colorize(method, used.colorizers, shown.rgb, found["temperature"])
            accuracies.append(np.mean(judge.probabilities(pictures).argmax(1) == shown.labels))
            values = found["results"][role][method.name]
            assert values["accuracy"] == pytest.approx(accuracies[-1])
            assert np.sum(values["confusion"]) == 100
            (row,) = [r for r in rows if (r["judge"], r["method"]) == (role, method.name)]
            assert float(row["accuracy"]) == pytest.approx(accuracies[-1])
            assert float(row["reported"]) == method.reported
        shown_row = " | ".join(f"**{accuracy:.1%}**" for accuracy in accuracies)
        assert f"| **accuracy, {role}** | {shown_row} |" in text
    assert "| accuracy in the report | 22% | 46% | 57% | 65% | 63% | 80% |" in text
    assert "trained on gray images" in text
    assert re.search(r"transfer: transfer, 8 epochs of 1000 images, .*; \d+ (seconds|minutes) on ", text)
    for name in ("figure7", "confusion", "temperature", "figure8"):
        picture = cv2.imread(str(written / f"{name}.png"))
        assert min(picture.shape[:2]) > 300
        assert picture.std() > 5


def test_what_is_finished_is_not_redone(written, used, monkeypatch):
    """Oracle: no judge is asked when all is there; one is for the part that is taken away."""
    before = (written / "figure7.md").read_text()
    asked, probabilities = [], judge.Judge.probabilities
    monkeypatch.setattr(judge.Judge, "probabilities", lambda *a: asked.append(a) or probabilities(*a))
    assert figure7.figure7(used, written) == before
    assert not asked
    part = min((written / "parts").glob("regression-*.npz"))
    whole = part.read_bytes()
    with np.load(part) as found:
        shape = found["probabilities"].shape
    for damage in (whole[:100], b"", whole[:-300] + b"x" + whole[-299:]):
        part.write_bytes(damage)
        assert judge._read(part, shape) is None
    assert figure7.figure7(used, written) == before
    assert part.read_bytes() == whole
    assert len(asked) == 1
    sweep = min((written / "parts").glob("temperatures-*.json"))
    rows = sweep.read_text()
    for damage in ("[]", "{}", "[1]", rows.replace("auc", "cua"), rows[:50]):
        sweep.write_text(damage)
        assert temperatures._read(sweep) is None
    figure7.figure8(used, written)
    assert sweep.read_text() == rows


def test_a_run_that_was_stopped_is_told_by_the_epochs_it_has():
    """Oracle: written here: a run planned for 20 epochs, interrupted twice, that went on from another."""
    start = {"processor": "P", "cores": 2, "devices": ["cpu"], "backend": "tensorflow", "seconds": 60}
    starts = [{"run": "first", **start, "finished_epochs": 3}, {**start, "finished_epochs": 5}]
    starts += [{**start, "finished_epochs": 8}, {name: start[name] for name in start if name != "seconds"}]
    settings = {"task": "regression", "epochs": 20, "image_size": 32, "width": 0.25, "seed": 0}
    told = figure7._told({"settings": settings, "train_images": 9, "starts": starts, "tuned": {}})
    assert told.startswith("regression, 8 epochs of 9 images, 32 px, width 0.25, seed 0, after 3 of first; ")
    assert "3 minutes on P, 2 cores" in told


def test_a_preset_is_told_by_its_name():
    """Not by where it is installed, which says nothing to who reads the table."""
    for preset in resolve.all_presets():
        if preset.name.startswith("cifar10"):
            assert figure7._provenance(resolve.path(preset.name))["run"] == preset.name


def test_wrong_answers_are_marked():
    """Oracle: the texts under the pictures and their colors, written here; under two of four columns."""
    names = [method.name for method in METHODS]
    said = {name: np.array([[0.9, 0.1], [0.7, 0.3], [0.5, 0.5], [0.5, 0.5]]) for name in names}
    labels = np.array([0, 1, 0, 0])
    drawn = figures.figure8({name: RGB[:4] for name in names}, labels, ["cat", "dog"], said)
    assert len(drawn.subfigs[0].axes) == 24
    lower = [(axes.get_xlabel(), axes.xaxis.label.get_color()) for axes in drawn.subfigs[1].axes]
    assert lower == [("cat (90%)", "#222222"), ("✗ cat (70%)", "#c0261b")] * 6


def test_figure8_shows_the_images_asked_for(experiments, smoke_folder, used, written, monkeypatch, capsys):
    """Oracle: the test images themselves, in the row of the truth."""
    drawn, draw = [], figures.figure8
    monkeypatch.setattr(figures, "figure8", lambda *a: drawn.append(a) or draw(*a))
    arguments = ["--preset", "smoke", "--runs", str(smoke_folder), "-o", str(written)]
    assert experiments["figure8"].main([*arguments, "--images", "99,3"]) == 0
    shown = figure7.shared_images(used, "test")
    np.testing.assert_array_equal(drawn[0][0]["ground truth"], shown.rgb[[99, 3]])
    np.testing.assert_array_equal(drawn[0][1], shown.labels[[99, 3]])
    assert experiments["figure8"].main([*arguments, "--images", "100"]) == 2
    assert "The test split has the images 0 to 99" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        experiments["figure8"].main([*arguments, "--columns", "0"])


def test_failures_are_what_color_harms_most(experiments, smoke_folder, used, written, monkeypatch):
    """Oracle: the judge asked about all test images, gray and annealed, and a sort of the differences."""
    drawn, draw = [], figures.failures
    monkeypatch.setattr(figures, "failures", lambda *a: drawn.append(a) or draw(*a))
    arguments = ["--preset", "smoke", "--runs", str(smoke_folder), "-o", str(written), "--failures", "3"]
    assert experiments["figure8"].main(arguments) == 0
    assert cv2.imread(str(written / "failures.png")).std() > 5
    judge, shown = judge.load(used.judge), figure7.shared_images(used, "test")
    temperature = json.loads((written / "figure7.json").read_text())["temperature"]
    gray, annealed = (
        judge.probabilities(columns.colorize(method, used.colorizers, shown.rgb, temperature))
        for method in (columns.GRAYSCALE, columns.ANNEALED)
    )
    harm = [(gray - annealed)[i, label] for i, label in enumerate(shown.labels)]
    worst = sorted(range(len(harm)), key=lambda i: -harm[i])[:3]
    np.testing.assert_array_equal(drawn[0][0]["ground truth"], shown.rgb[worst])
    np.testing.assert_array_equal(drawn[0][1], shown.labels[worst])
    with pytest.raises(SystemExit):
        experiments["figure8"].main([*arguments, "--images", "1"])


def test_a_plan_trains_what_is_not_given(experiments, used, tmp_path):
    """Oracle: the rules: from scratch the transfer takes the judge's blocks, else the given weights."""
    presets = experiments["figure7"].PRESETS
    parser = plan.parser("")
    mine, narrow, reseeded = (tmp_path / name for name in ("mine", "narrow", "reseeded"))
    folder.write_config(mine, presets["regression"]["small"])
    folder.write_config(narrow, replace(presets["judge"]["small"], width=0.25, batch_norm=False))
    planned = plan.plan(parser.parse_args(["--regression", str(mine), "--data", "synthetic"]), presets)
    assert planned["regression"] == (None, mine)
    assert planned["judge"][1:] == (Path("runs/vgg-small"),)
    assert planned["control"][1] == Path("runs/vgg-small-gray")
    assert planned["control"][0].gray
    assert planned["judge"][0].vgg_weights == "none"
    assert planned["transfer"][0].vgg_weights == "runs/vgg-small"
    assert planned["classification"][0].data == "synthetic"
    folder.write_config(reseeded, replace(presets["judge"]["small"], split_seed=7))
    assert plan.plan(parser.parse_args(["--judge", str(narrow), "--preset", "paper"]), presets)
    transfer = plan.plan(parser.parse_args(["--judge", str(narrow)]), presets)["transfer"][0]
    assert (transfer.vgg_weights, transfer.vgg_width, transfer.batch_norm) == (str(narrow), 0.25, False)
    planned = plan.plan(parser.parse_args(["--preset", "paper", "--vgg-weights", "vgg.npz"]), presets)
    assert {planned[role][0].vgg_weights for role in ("judge", "control", "transfer")} == {"vgg.npz"}
    planned = plan.plan(parser.parse_args(["--preset", "paper"]), presets)
    assert planned["transfer"][0].vgg_weights == "imagenet"
    assert planned["transfer"][0] == presets["transfer"]["paper"]
    for words, sentence in (
        (["--vgg-weights", "imagenet"], "small trains its judge from scratch"),
        (["--preset", "paper", "--vgg-weights", "none"], "Frozen blocks need pretrained weights"),
        (["--regression", str(used.judge)], "names the task 'vgg', not one of regression"),
        (["--transfer", str(used.colorizers["classification"])], "names the task 'classification'"),
        (["--judge", str(used.control)], "was trained with gray=true: it is no judge"),
        (["--control", str(used.judge)], "was trained with gray=false: it is no control"),
        (["--judge", "nowhere"], "is no run folder"),
        (["--judge", str(reseeded)], "has split_seed=7, what the preset small trains has 0"),
        (["--regression", str(used.colorizers["regression"])], "has dev_size=100, what the preset small"),
    ):
        with pytest.raises(InputError, match=sentence):
            plan.plan(parser.parse_args(words), presets)


def test_a_chain_leaves_finished_runs_as_they_are(experiments, smoke_folder, tmp_path):
    """Oracle: their files; a temperature that was chosen for one of them stays too."""
    shutil.copytree(smoke_folder, tmp_path / "runs")
    run_dir = tmp_path / "runs" / "classification-smoke"
    folder.write_config(run_dir, config.override(folder.read_config(run_dir), ["temperature=0.3"]))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")}
    words = ["--preset", "smoke", "--runs", str(tmp_path / "runs")]
    plan.run(plan.plan(plan.parser("").parse_args(words), experiments["figure7"].PRESETS))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")} == before


def test_runs_that_do_not_belong_together_are_refused(used, tmp_path):
    def copied(run_dir, name, **changes):
        shutil.copytree(run_dir, tmp_path / name)
        settings = folder.read_config(tmp_path / name, {**CONFIGS, "regression": config.RegressionConfig})
        splits = train.split(
            config.override(settings, [f"{key}={value}" for key, value in changes.items()]),
            train.load_data(settings),
        )
        splits.save(tmp_path / name / folder.SPLITS)
        return tmp_path / name

    regression = copied(used.colorizers["regression"], "regression", split_seed=1)
    others = used._replace(
        colorizers={"classification": used.colorizers["classification"], "regression": regression}
    )
    with pytest.raises(InputError, match="were trained with other splits"):
        figure7.shared_images(others, "test")
    judge = copied(used.judge, "judge", split_seed=1)
    with pytest.raises(InputError, match=r"judge has learned from \d+% of the test images"):
        figure7.shared_images(used._replace(judge=judge), "test")
    settings = config.override(folder.read_config(judge, CONFIGS), ["split_seed=1", "image_size=64"])
    folder.write_config(judge, settings)
    (judge / folder.SPLITS).unlink()
    found, splits = train.prepare(settings, judge)
    train.begin(settings, judge, found, splits)
    with pytest.raises(InputError, match=r"judge has learned from \d+% of the test images"):
        figure7.shared_images(used._replace(judge=judge), "test")  # though it sees them larger
    planned = {role: (None, run_dir) for role, run_dir in used.colorizers.items()}
    planned |= {"judge": (None, judge), "control": (JudgeConfig(), tmp_path / "control")}
    with pytest.raises(InputError, match="judge has learned from"):
        plan.run(planned)
    assert not (tmp_path / "control").exists()
    (tmp_path / "judge" / folder.DATA).write_text("{}")
    with pytest.raises(InputError, match="it names no classes"):
        judge.load(judge)
    with pytest.raises(InputError, match="names the task 'vgg', not one of regression"):
        columns.colorize(METHODS[1], {"regression": used.judge}, RGB, 1.0)
    with pytest.raises(InputError, match="names the task 'regression', not one of vgg"):
        judge.load(used.colorizers["regression"])
    with pytest.raises(InputError, match="is no run folder"):
        figure7.figure7(used._replace(judge=tmp_path / "nowhere"), tmp_path)
