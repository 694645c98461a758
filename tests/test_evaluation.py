"""A run's metrics, against what scikit-image and NumPy make of the same pictures."""

import json
import math

import numpy as np
import pytest
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from colorization import Colorizer, evaluation, runs, training
from colorization.errors import InputError


@pytest.fixture(scope="module")
def reports(smoke_runs):
    """{task: what evaluate says of its smoke run}."""
    return {task: evaluation.evaluate(run_dir, "dev") for task, run_dir in smoke_runs.items()}


def test_metrics_agree_with_the_colorizers_pictures(smoke_runs, reports):
    for task, run_dir in smoke_runs.items():
        report = reports[task]
        settings = runs.read_config(run_dir)
        data = training.load_data(settings)
        rgb = data.test.images[training.read_splits(run_dir, data).dev]
        assert report["images"] == len(rgb) == 100

        decoding = next(name for name in report["methods"] if name in (task, "annealed"))
        coloured = Colorizer.load(run_dir).colorize(rgb, decoding=decoding)
        ours = report["methods"][decoding]
        assert math.isclose(ours["psnr"], peak_signal_noise_ratio(rgb, coloured), abs_tol=0.01)
        grey = report["methods"]["grey"]
        ab = rgb2lab(rgb)[..., 1:]
        assert math.isclose(grey["ab_rmse"], np.sqrt((ab**2).sum(-1).mean()), abs_tol=0.01)
        assert grey["colourfulness"] < 0.5
        assert ours["auc"] > grey["auc"]
        assert ours["delta_colourfulness"] < grey["delta_colourfulness"]
        truth = report["methods"]["truth"]
        assert (truth["ab_rmse"], truth["auc"], truth["psnr"], truth["delta_colourfulness"]) == (
            0,
            100,
            None,
            0,
        )


def test_the_regression_goes_grey_where_colours_are_equally_likely_and_the_mode_does_not(reports):
    """The report's apple, section 5.1, on the synthetic classes that have several colours."""
    methods = {}
    for report in reports.values():
        methods |= report["methods"]
    assert methods["mode"]["colourfulness"] > methods["regression"]["colourfulness"]
    assert methods["mode"]["colourfulness"] > methods["mean"]["colourfulness"]


def test_other_data_and_splits_go_into_metrics_json(smoke_runs, capsys):
    run_dir = smoke_runs["regression"]
    evaluation.evaluate(run_dir, "test")
    evaluation.evaluate(run_dir, "dev", source="synthetic")
    stored = json.loads((run_dir / runs.METRICS).read_text())
    assert stored.keys() >= {"dev", "test", "dev of synthetic"}
    assert stored["test"]["methods"] != stored["dev"]["methods"]
    text = evaluation.table(stored["dev"])
    assert "| mean colour |" in text
    assert text.count("\n") == 3 + len(stored["dev"]["methods"])
    with pytest.raises(InputError, match="does not exist"):
        evaluation.evaluate(run_dir, source="nowhere")
