"""A run's metrics, against what scikit-image and NumPy make of the same pictures."""

import json
import math

import numpy as np
import pytest
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from colorization import Colorizer
from colorization.evaluation import evaluate
from colorization.runs import folder
from colorization.training import train
from colorization.core.errors import InputError


@pytest.fixture(scope="module")
def reports(smoke_runs):
    """{task: what evaluate says of its smoke run}."""
    return {task: evaluate.evaluate(run_dir, "dev") for task, run_dir in smoke_runs.items()}


def test_metrics_agree_with_the_colorizers_pictures(smoke_runs, reports):
    for task, run_dir in smoke_runs.items():
        report = reports[task]
        settings = folder.read_config(run_dir)
        data = train.load_data(settings)
        rgb = data.test.images[train.read_splits(run_dir, data).dev]
        assert report["images"] == len(rgb) == 100

        decoding = next(name for name in report["methods"] if name in (task, "annealed"))
        colored = Colorizer.load(run_dir).colorize(rgb, decoding=decoding)
        ours = report["methods"][decoding]
        assert math.isclose(ours["psnr"], peak_signal_noise_ratio(rgb, colored), abs_tol=0.01)
        gray = report["methods"]["gray"]
        ab = rgb2lab(rgb)[..., 1:]
        assert math.isclose(gray["ab_rmse"], np.sqrt((ab**2).sum(-1).mean()), abs_tol=0.01)
        assert gray["colorfulness"] < 0.5
        assert ours["auc"] > gray["auc"]
        assert ours["delta_colorfulness"] < gray["delta_colorfulness"]
        truth = report["methods"]["truth"]
        assert (truth["ab_rmse"], truth["auc"], truth["psnr"], truth["delta_colorfulness"]) == (
            0,
            100,
            None,
            0,
        )


def test_the_regression_goes_gray_where_colors_are_equally_likely_and_the_mode_does_not(reports):
    """The report's apple, section 5.1, on the synthetic classes that have several colors."""
    methods = {}
    for report in reports.values():
        methods |= report["methods"]
    assert methods["mode"]["colorfulness"] > methods["regression"]["colorfulness"]
    assert methods["mode"]["colorfulness"] > methods["mean"]["colorfulness"]


def test_other_data_and_splits_go_into_metrics_json(smoke_runs, capsys):
    run_dir = smoke_runs["regression"]
    evaluate.evaluate(run_dir, "test")
    evaluate.evaluate(run_dir, "dev", source="synthetic")
    stored = json.loads((run_dir / folder.METRICS).read_text())
    assert stored.keys() >= {"dev", "test", "dev of synthetic"}
    assert stored["test"]["methods"] != stored["dev"]["methods"]
    text = evaluate.table(stored["dev"])
    assert "| mean color |" in text
    assert text.count("\n") == 3 + len(stored["dev"]["methods"])
    with pytest.raises(InputError, match="does not exist"):
        evaluate.evaluate(run_dir, source="nowhere")
