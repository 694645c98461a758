"""Figures 7 and 8: every number and picture in them, against the judges asked again."""

import csv
import json
import re
import shutil

import cv2
import numpy as np
import pytest

from colorization import datasets
from colorization.core.errors import InputError
from colorization.runs import RunFolder, resolve
from vgg_eval import columns, figure7, figure7_table, figures, judge, options, temperatures
from vgg_eval.columns import COLUMNS

RGB = datasets.load("synthetic", train_limit=1, test_limit=30).test.images


@pytest.fixture(scope="module")
def written(used, tmp_path_factory):
    """The folder that figure7 and figure8 fill."""
    folder = tmp_path_factory.mktemp("figures")
    figure7.figure7(used, folder)
    figure7.figure8(used, folder)
    return folder


def test_figure7_says_in_every_form_what_the_judges_said(written, used, tmp_path):
    """Oracle: the judges asked again, column by column."""
    found = json.loads((written / "figure7.json").read_text())
    shown = figure7.shared_images(used, "test")
    assert found["images"] == len(shown.rgb) == 20
    classification = used.colorizers["classification"]
    asked = judge.load(used.judge.path)
    on_dev = temperatures.sweep(asked, classification, figure7.shared_images(used, "dev"), tmp_path)
    assert found["temperatures"] == on_dev  # and nowhere else
    assert found["temperature"] == temperatures.best(on_dev)
    text = (written / "figure7.md").read_text()
    rows = list(csv.DictReader((written / "figure7.csv").read_text().splitlines()))
    assert len(rows) == 12
    for role, run in (("judge", used.judge), ("control", used.control)):
        asked, accuracies = judge.load(run.path), []
        for column in COLUMNS:
            pictures = columns.colorize(column, used.colorizers, shown.rgb, found["temperature"])
            accuracies.append(np.mean(asked.probabilities(pictures).argmax(1) == shown.labels))
            values = found["results"][role][column.name]
            assert values["accuracy"] == pytest.approx(accuracies[-1])
            assert np.sum(values["confusion"]) == 20
            (row,) = [r for r in rows if (r["judge"], r["method"]) == (role, column.name)]
            assert float(row["accuracy"]) == pytest.approx(accuracies[-1])
            assert float(row["reported"]) == column.reported
        shown_row = " | ".join(f"**{accuracy:.1%}**" for accuracy in accuracies)
        assert f"| **accuracy, {role}** | {shown_row} |" in text
    assert re.search(r"\| accuracy in the (report|paper) \| 22% \| 46% \| 57% \| 65% \| 63% \| 80% \|", text)
    assert "trained on gray images" in text
    assert re.search(r"transfer: transfer, 2 epochs of 60 images, .*; \d+ (seconds|minutes) on ", text)


def test_added_columns_stand_before_the_truth_with_temperatures_of_their_own(written, used, tmp_path):
    """Oracle: the judge asked again. A column of the same run equals the paper's column."""
    assert tuple(column.name for column in COLUMNS) == options.FIGURE7
    colorizers = used.colorizers
    more = {"more mean": colorizers["regression"], "more bins": colorizers["transfer"]}
    extended = used._replace(colorizers=colorizers | more)
    shutil.copytree(written / "parts", tmp_path / "parts")
    text = figure7.figure7(extended, tmp_path)
    found = json.loads((tmp_path / "figure7.json").read_text())
    assert list(found["results"]["judge"]) == [*options.FIGURE7[:-1], *more, "ground truth"]
    results = found["results"]["judge"]
    assert results["more mean"]["confusion"] == results["regression"]["confusion"]
    asked, dev = judge.load(used.judge.path), figure7.shared_images(used, "dev")
    chosen = temperatures.best(temperatures.sweep(asked, more["more bins"], dev, tmp_path / "parts"))
    assert found["added"] == {"more mean": None, "more bins": chosen}
    column = columns.Column("", None, "more bins", "annealed", chosen)
    shown = figure7.shared_images(used, "test")
    pictures = columns.colorize(column, extended.colorizers, shown.rgb, 9.0)
    expected = np.mean(asked.probabilities(pictures).argmax(1) == shown.labels)
    assert results["more bins"]["accuracy"] == pytest.approx(expected)
    assert "| 63% | - | - | 80% |" in text
    assert f"The column more bins has T = {chosen:g}" in text
    assert len(figures.accuracy_bars(found).axes[0].get_xticklabels()) == 8
    before = (written / "figure7.md").read_text()
    assert text != before
    assert figure7.figure7(used, written) == before


def test_figures_show_the_reports_numbers(written):
    """Oracle: figure7.json: heights of bars, cells of the matrix, points of the curves."""
    found = json.loads((written / "figure7.json").read_text())
    bars = [patch.get_height() for axes in figures.accuracy_bars(found).axes for patch in axes.patches]
    for role in ("judge", "control"):
        for values in found["results"][role].values():
            assert (
                min(abs(height - factor * values["accuracy"]) for height in bars for factor in (1, 100))
                < 1e-6
            )
    matrices = [
        np.asarray(image.get_array())
        for axes in figures.confusion_matrices(found).axes
        for image in axes.images
    ]
    truth = np.array(found["results"]["judge"]["ground truth"]["confusion"], float)
    share = truth / np.maximum(truth.sum(axis=1, keepdims=True), 1)
    assert any(
        matrix.shape == truth.shape
        and (np.allclose(matrix, truth) or np.allclose(matrix, share) or np.allclose(matrix, 100 * share))
        for matrix in matrices
    )
    lines = [line.get_xydata() for axes in figures.temperature_curves(found).axes for line in axes.lines]
    auc = [(row["temperature"], row["auc"]) for row in found["temperatures"]]
    assert any(line.shape == (len(auc), 2) and np.allclose(line, auc) for line in lines)
    for name in ("figure7", "confusion", "temperature", "figure8"):
        picture = cv2.imread(str(written / f"{name}.png"))
        assert min(picture.shape[:2]) > 300
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_what_is_finished_is_not_redone(written, used, monkeypatch):
    """Oracle: no judge is asked when all is there; one is for the part that is taken away."""
    before = (written / "figure7.md").read_text()
    asked, probabilities = [], judge.Judge.probabilities
    monkeypatch.setattr(judge.Judge, "probabilities", lambda *a: asked.append(a) or probabilities(*a))
    assert figure7.figure7(used, written) == before
    assert not asked
    part = min((written / "parts").glob("regression-*.npz"))
    part.unlink()
    assert figure7.figure7(used, written) == before
    assert len(asked) == 1
    assert part.exists()


def test_a_run_that_was_stopped_is_told_by_the_epochs_it_has(written, old_run):
    """Oracle: written here: a run planned for 20 epochs, interrupted twice, that was initialized from another."""
    start = {"processor": "P", "cores": 2, "devices": ["cpu"], "backend": "tensorflow", "seconds": 60}
    sessions = [{"run": "first", **start, "finished_epochs": 3}, {**start, "finished_epochs": 5}]
    sessions += [{**start, "finished_epochs": 8}, {name: start[name] for name in start if name != "seconds"}]
    run = RunFolder(old_run("regression"))
    run.write_sessions(sessions)
    report = json.loads((written / "figure7.json").read_text())
    report["runs"]["regression"] = figure7_table.provenance(run)
    (told,) = (line for line in figure7_table.markdown(report).splitlines() if "after 3 of first" in line)
    assert "regression, 8 epochs of 60 images, 32 px, width 0.03, seed 0, after 3 of first; " in told
    assert "3 minutes on P, 2 cores" in told


def test_a_preset_is_told_by_its_name():
    """Not by where it is installed, which says nothing to who reads the table."""
    for preset in resolve.all_presets():
        if preset.name.startswith("cifar10"):
            assert figure7_table.provenance(RunFolder(preset.folder))["run"] == preset.name


def test_wrong_answers_are_marked():
    """Oracle: the texts under the pictures and their colors, written here; under two of four columns."""
    names = [column.name for column in COLUMNS]
    said = {name: np.array([[0.9, 0.1], [0.7, 0.3], [0.5, 0.5], [0.5, 0.5]]) for name in names}
    labels = np.array([0, 1, 0, 0])
    drawn = figures.picture_grids({name: RGB[:4] for name in names}, labels, ["cat", "dog"], said)
    assert len(drawn.subfigs[0].axes) == 24
    lower = [(axes.get_xlabel(), axes.xaxis.label.get_color()) for axes in drawn.subfigs[1].axes]
    assert lower == [("cat (90%)", "#222222"), ("✗ cat (70%)", "#c0261b")] * 6


def test_figure8_shows_the_images_asked_for(used, written, monkeypatch):
    """Oracle: the test images themselves, in the row of the truth."""
    drawn, draw = [], figures.picture_grids
    monkeypatch.setattr(figures, "picture_grids", lambda *a: drawn.append(a) or draw(*a))
    figure7.figure8(used, written, rows=[19, 3])
    shown = figure7.shared_images(used, "test")
    np.testing.assert_array_equal(drawn[0][0]["ground truth"], shown.rgb[[19, 3]])
    np.testing.assert_array_equal(drawn[0][1], shown.labels[[19, 3]])
    for rows in ([20], [-1], []):
        with pytest.raises(InputError, match="The test split has the images 0 to 19"):
            figure7.figure8(used, written, rows=rows)


def test_a_given_temperature_is_judged_beside_the_chosen_one(written, used, tmp_path):
    """Oracle: the judge asked again at T = 0.89; the other columns are those without it, but for the p of the
    column after it."""
    without = json.loads((written / "figure7.json").read_text())
    text = figure7.figure7(used, tmp_path, temperature=0.89)
    report = json.loads((tmp_path / "figure7.json").read_text())
    assert (report["temperature"], report["given_temperature"]) == (without["temperature"], 0.89)
    shown = figure7.shared_images(used, "test")
    pictures = columns.colorize(columns.ANNEALED, used.colorizers, shown.rgb, 0.89)
    right = judge.load(used.judge.path).probabilities(pictures).argmax(1) == shown.labels
    found = report["results"]["judge"]["annealed at T=0.89"]
    assert found["accuracy"] == pytest.approx(right.mean())
    names = [column.name for column in COLUMNS]
    assert list(report["results"]["judge"]) == [*names[:4], "annealed at T=0.89", *names[4:]]
    for name in names:
        one, other = (found["results"]["judge"][name] for found in (without, report))
        assert {key: one[key] for key in one if key != "p_before"} == {
            key: other[key] for key in other if key != "p_before"
        }
    assert "| annealed | annealed at T=0.89 | transfer |" in text
    rows = list(csv.DictReader((tmp_path / "figure7.csv").read_text().splitlines()))
    assert [row["reported"] for row in rows if row["method"].startswith("annealed")] == ["0.65"] * 4
    assert len(figures.accuracy_bars(report).axes[0].patches) == 3 * 7


@pytest.mark.parametrize("draw", [figure7.figure8, figure7.failures])
def test_no_temperature_is_searched_when_one_is_given(used, tmp_path, monkeypatch, draw):
    """Oracle: the pictures are Colorizer's at that temperature; the sweep is not called."""
    monkeypatch.setattr(temperatures, "sweep", lambda *a: pytest.fail("temperatures were searched"))
    asked_at, colorize = [], columns.colorize
    monkeypatch.setattr(columns, "colorize", lambda *a: asked_at.append(a[3]) or colorize(*a))
    assert draw(used, tmp_path, temperature=0.25).exists()
    assert set(asked_at) == {0.25}


def test_failures_are_what_color_harms_most(used, written, monkeypatch):
    """Oracle: the judge asked about all test images, gray and annealed, and a sort of the differences."""
    drawn, draw = [], figures.judged_pictures
    monkeypatch.setattr(figures, "judged_pictures", lambda *a: drawn.append(a) or draw(*a))
    path = figure7.failures(used, written, count=3)
    assert path == written / "failures.png"
    assert cv2.imread(str(path)) is not None
    asked, shown = judge.load(used.judge.path), figure7.shared_images(used, "test")
    temperature = json.loads((written / "figure7.json").read_text())["temperature"]
    gray, annealed = (
        asked.probabilities(columns.colorize(column, used.colorizers, shown.rgb, temperature))
        for column in (columns.GRAYSCALE, columns.ANNEALED)
    )
    harm = [(gray - annealed)[i, label] for i, label in enumerate(shown.labels)]
    worst = sorted(range(len(harm)), key=lambda i: -harm[i])[:3]
    np.testing.assert_array_equal(drawn[0][0]["ground truth"], shown.rgb[worst])
    np.testing.assert_array_equal(drawn[0][1], shown.labels[worst])
