"""Decoding chosen after training: the sweep against the evaluation, and the shift folded into the bias."""

import csv

import numpy as np
import pytest

from colorization import Colorizer
from colorization.core import bins, color_prior
from colorization.evaluation import evaluate
from colorization.runs import folder
from colorization.training import train


@pytest.fixture(scope="module")
def tuned(experiments, smoke_runs, tmp_path_factory):
    """(folder of the sweep, the run that it made)."""
    folder = tmp_path_factory.mktemp("tune")
    options = ["--strengths", "0,0.5,2", "--temperatures", "0.1,0.89", "--sizes", "24,32"]
    options += ["-o", str(folder), "--apply", str(folder / "applied")]
    assert experiments["tune"].main([str(smoke_runs["classification"]), *options]) == 0
    return folder, folder / "applied"


def rows_of(folder):
    with (folder / "tune.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_without_a_shift_at_the_own_size_it_is_the_evaluation(tuned, smoke_runs):
    """Oracle: evaluation.evaluate on the same dev images."""
    rows = rows_of(tuned[0])
    assert len(rows) == 12
    expected = evaluate.evaluate(smoke_runs["classification"])["methods"]["annealed"]
    plain = {"size": 32, "strength": 0, "temperature": 0.89}
    (found,) = (row for row in rows if row.items() >= plain.items())
    for name in ("ab_rmse", "auc", "rebalanced_auc", "colorfulness"):
        assert found[name] == pytest.approx(expected[name], rel=1e-3)


def test_the_choice_is_the_best_of_those_as_colorful_as_the_truth(experiments):
    """Oracle: three rows by hand."""
    rows = [{"auc": auc, "colorfulness": color} for auc, color in ((95, 5), (91, 28), (90, 33), (80, 60))]
    assert experiments["tune"].choose(rows, 32) == rows[1]
    assert experiments["tune"].choose(rows, 50) == rows[3]


def test_the_shift_is_in_the_weights(tuned, smoke_runs):
    """Oracle: logits of the old run plus strength times the log of the rebalancing weights; the config."""
    old, new = smoke_runs["classification"], tuned[1]
    settings = folder.read_config(new)
    (chosen,) = (
        row
        for row in rows_of(tuned[0])
        if row["temperature"] == settings.temperature
        and row["size"] == settings.working_size
        and row["strength"] == _strength(old, new)
    )
    truth = evaluate.evaluate(old)["methods"]["truth"]["colorfulness"]
    assert chosen == min(
        rows_of(tuned[0]),
        key=lambda row: (
            (0, -row["auc"])
            if abs(row["colorfulness"] / truth - 1) <= 0.15
            else (1, abs(row["colorfulness"] - truth))
        ),
    )
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 16, 16, 1)).astype("float32")
    before, after = (folder.load_model(run)[1].predict_on_batch(lightness) for run in (old, new))
    counts = color_prior.Statistics.load(old / folder.STATISTICS).bin_counts
    shift = chosen["strength"] * np.log(bins.rebalancing_weights(counts, 0.5))
    np.testing.assert_allclose(after, before + shift, atol=1e-3)
    assert folder.read_tuned(new) == {"strength": chosen["strength"]}
    assert Colorizer.load(new).temperature == settings.temperature
    assert train.read_splits(new, train.load_data(settings)).dev.size


def _strength(old, new):
    biases = [folder.read_weights(run)["block9_conv/bias"] for run in (old, new)]
    counts = color_prior.Statistics.load(old / folder.STATISTICS).bin_counts
    shift = np.log(bins.rebalancing_weights(counts, 0.5))
    return round(float(np.dot(biases[1] - biases[0], shift) / np.dot(shift, shift)), 3)


def test_what_cannot_be_tuned_is_refused(experiments, smoke_runs, tmp_path, capsys):
    for run, options, sentence in (
        ("regression", [], "is a regression"),
        ("classification", ["--sizes", "32,64"], "name larger ones by --data"),
        ("transfer", ["--sizes", "32"], "predicts at one size only"),
        ("classification", ["--images", "0"], "at least 1"),
        ("classification", ["--apply", str(tmp_path)], "is there already"),
    ):
        assert experiments["tune"].main([str(smoke_runs[run]), *options]) == 2
        assert sentence in capsys.readouterr().err
    assert experiments["tune"].main(["photos", "--sizes", "32"]) == 2
    assert "name a folder by -o" in capsys.readouterr().err
    for option, text in (("--sizes", "0"), ("--temperatures", "-1"), ("--strengths", "nan")):
        with pytest.raises(SystemExit):
            experiments["tune"].main([str(smoke_runs["classification"]), option, text])
        assert "numbers of at least" in capsys.readouterr().err
