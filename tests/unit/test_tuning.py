"""Decoding chosen after training: the sweep against the evaluation, and the shift folded into the bias."""

import csv

import numpy as np
import pytest

from colorization import Colorizer
from colorization.core.color_prior import rebalancing_weights
from colorization.core.errors import InputError
from colorization.evaluation import evaluate, tune
from colorization.evaluation.tuning import choose
from colorization.inference import load_model
from colorization.runs import RunFolder


@pytest.fixture(scope="module")
def tuned(old_runs, tmp_path_factory):
    """(Tuning, the RunFolder that it made)."""
    folder = tmp_path_factory.mktemp("tune")
    tuning = tune(
        old_runs["classification"], strengths=[0, 0.5, 2], temperatures=[0.1, 0.89], sizes=[24, 32],
        output=folder, target=folder / "applied",
    )  # fmt: skip
    return tuning, RunFolder(folder / "applied")


def test_without_a_shift_at_the_own_size_it_is_the_evaluation(tuned, old_runs):
    """Oracle: evaluate on the same dev images; the table on the disk is what is returned."""
    tuning, _ = tuned
    assert len(tuning.rows) == 12
    report = evaluate(old_runs["classification"])
    expected = report["methods"]["annealed"]
    plain = {"size": 32, "strength": 0, "temperature": 0.89}
    (found,) = (row for row in tuning.rows if row.items() >= plain.items())
    for name in ("ab_rmse", "auc", "rebalanced_auc", "colorfulness"):
        assert found[name] == pytest.approx(expected[name], rel=1e-3)
    assert tuning.truth == pytest.approx(report["methods"]["truth"]["colorfulness"])
    assert tuning.images == 20
    with (tuning.folder / "tune.csv").open(newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert rows == [pytest.approx(row, rel=1e-4) for row in tuning.rows]


def test_the_choice_is_the_best_of_those_as_colorful_as_the_truth(tuned):
    """Oracle: rows by hand; and the definition, applied to all that was measured."""
    rows = [{"auc": auc, "colorfulness": color} for auc, color in ((95, 5), (91, 28), (90, 33), (80, 60))]
    assert choose(rows, 32) == rows[1]
    assert choose(rows, 50) == rows[3]
    assert choose(rows, 0.0) == rows[0]
    tuning, _ = tuned
    near = [row for row in tuning.rows if abs(row["colorfulness"] / tuning.truth - 1) <= 0.15]
    expected = max(near, key=lambda row: row["auc"]) if near else min(
        tuning.rows, key=lambda row: abs(row["colorfulness"] - tuning.truth)
    )  # fmt: skip
    assert tuning.chosen == expected


def test_the_shift_is_in_the_weights(tuned, old_runs):
    """Oracle: logits of the old run plus strength times the log of the rebalancing weights; the config; the data."""
    tuning, new = tuned
    old, chosen = RunFolder(old_runs["classification"]), tuning.chosen
    assert (new.config.temperature, new.config.working_size) == (chosen["temperature"], chosen["size"])
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 16, 16, 1)).astype("float32")
    before, after = (load_model(run).predict_on_batch(lightness) for run in (old, new))
    shift = chosen["strength"] * np.log(rebalancing_weights(old.color_prior().bin_counts, 0.5))
    np.testing.assert_allclose(after, before + shift, atol=1e-3)
    assert new.tuned() == {"strength": chosen["strength"]}
    assert new.is_frozen()
    assert Colorizer.load(new.path).temperature == chosen["temperature"]
    np.testing.assert_array_equal(new.images("dev")[0].images, old.images("dev")[0].images)


@pytest.mark.parametrize(
    ("run", "options", "sentence"),
    [
        ("regression", {}, "is a regression|regression"),
        ("classification", {"sizes": [32, 64]}, "larger images with --data"),
        ("transfer", {"sizes": [32]}, "has a fixed input size"),
        ("classification", {"images": 0}, "at least 1"),
        ("classification", {"target": "."}, "already exists"),
    ],
)
def test_what_cannot_be_tuned_is_refused(old_runs, run, options, sentence):
    with pytest.raises(InputError, match=sentence):
        tune(old_runs[run], **options)


def test_the_command_refuses_numbers_that_make_no_sense(experiments, old_runs, capsys):
    main = experiments["tune"].main
    assert main(["photos", "--sizes", "32"]) == 2
    assert "with -o" in capsys.readouterr().err
    for option, text in (("--sizes", "0"), ("--temperatures", "-1"), ("--strengths", "nan")):
        with pytest.raises(SystemExit):
            main([str(old_runs["classification"]), option, text])
        assert "numbers of at least" in capsys.readouterr().err
