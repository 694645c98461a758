"""A run's metrics, against scikit-image, NumPy and Colorizer."""

import dataclasses
import math

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from support.pictures import crops as photograph_crops

from colorization import Colorizer
from colorization.core import metrics
from colorization.core.bin_centers import CENTERS
from colorization.core.color_prior import rebalancing_weights
from colorization.core.errors import InputError
from colorization.datasets import loading, pipeline
from colorization.evaluation import evaluate, measure, table, tuning
from colorization.inference import graph
from colorization.inference.colorizer import predictor
from colorization.models import tasks
from colorization.runs import RunFolder
from colorization.runs.resolve import preset_folder
from colorization.training.variants import CLASSIFICATION

TASKS = ("regression", "classification", "transfer")


@pytest.fixture(scope="module")
def reports(old_runs):
    """{task: what evaluate says of its run}."""
    return {task: evaluate(old_runs[task], "dev") for task in TASKS}


@pytest.fixture(scope="module")
def crops():
    return photograph_crops()


def test_images_are_measured_at_the_working_size(crops, tmp_path):
    """Oracle: Colorizer's pictures, for a preset that sees every image at half of its size."""
    run = RunFolder(preset_folder("cifar10-classification"))
    tuning.apply(run, tmp_path / "half", 0, run.config.temperature, working_size=16)
    lightness = pipeline.to_lightness_and_ab(crops)[0]
    found, whole = (
        graph.compose(lightness, predictor(one, tasks.of(one.config).decodings, 0.6)(lightness)["annealed"])
        for one in (RunFolder(tmp_path / "half"), run)
    )
    expected = Colorizer.load(tmp_path / "half").colorize(crops, temperature=0.6)
    np.testing.assert_allclose(found.astype(int), expected, atol=1)
    assert np.abs(found.astype(int) - whole).max() > 20


@pytest.mark.parametrize("task", TASKS)
def test_metrics_agree_with_the_colorizers_pictures(old_runs, reports, task):
    """Oracle: Colorizer's pictures of the dev images, measured by scikit-image; closed forms for gray and truth."""
    report, run = reports[task], RunFolder(old_runs[task])
    rgb = run.images("dev")[0].images
    assert (report["images"], report["split"], report["data"]) == (len(rgb), "dev", "synthetic")
    decoding = next(name for name in report["methods"] if name in (task, "annealed"))
    colored = Colorizer.load(run.path).colorize(rgb, decoding=decoding)
    ours = report["methods"][decoding]
    assert math.isclose(ours["psnr"], peak_signal_noise_ratio(rgb, colored), abs_tol=0.01)
    similar = [
        structural_similarity(
            *pair, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
        )[1][5:-5, 5:-5].mean()
        for pair in zip(rgb, colored, strict=True)
    ]
    assert math.isclose(ours["ssim"], np.mean(similar), abs_tol=1e-3)
    assert math.isclose(ours["colorfulness"], metrics.colorfulness(colored).mean(), abs_tol=0.1)
    ab = rgb2lab(rgb)[..., 1:]
    gray = report["methods"]["gray"]
    assert math.isclose(gray["ab_rmse"], np.sqrt((ab**2).sum(-1).mean()), abs_tol=0.01)
    share = 1 - np.minimum(np.linalg.norm(ab, axis=-1), 150) / 150
    assert math.isclose(gray["auc"], 100 * share.mean(), abs_tol=0.01)
    assert gray["colorfulness"] < 0.5
    mean = report["methods"]["mean color"]
    expected = np.sqrt(((ab - run.color_prior().mean_ab) ** 2).sum(-1).mean())
    assert math.isclose(mean["ab_rmse"], expected, abs_tol=0.01)
    truth = report["methods"]["truth"]
    assert (truth["ab_rmse"], truth["auc"], truth["psnr"], truth["delta_colorfulness"]) == (0, 100, None, 0)
    for values in report["methods"].values():
        assert values["delta_colorfulness"] == abs(values["colorfulness"] - truth["colorfulness"])


def test_a_trained_colorizer_is_better_than_gray_and_the_mode_more_colorful_than_the_mean(crops):
    """The report's apple, section 5.1, by the presets on photographs that they have not seen: the regression goes
    gray where several colors are likely, the mode does not."""
    lightness, _ = pipeline.to_lightness_and_ab(crops)
    found = {}
    for task in TASKS:
        colorizer = Colorizer.from_preset(f"cifar10-{task}")
        for name in colorizer.task.decodings:
            found[task, name] = colorizer.colorize(crops, decoding=name)
    color = {key: metrics.colorfulness(rgb).mean() for key, rgb in found.items()}
    assert color["regression", "regression"] > 3 * metrics.colorfulness(graph.gray(lightness)).mean()
    for task in ("classification", "transfer"):
        assert color[task, "mode"] > color["regression", "regression"]
        assert color[task, "mode"] > color[task, "mean"]
    error = {key: metrics.squared_rgb_errors(crops, rgb).mean() for key, rgb in found.items()}
    gray = metrics.squared_rgb_errors(crops, graph.gray(lightness)).mean()
    assert error["regression", "regression"] < gray
    assert error["classification", "mean"] < gray


def test_measure_joins_batches_and_shows_what_it_composes(crops):
    """Oracle: NumPy and scikit-image on all images at once: a prediction that is off by (3, 4) has an RMSE of 5,
    and weights that are inverse to the prior of each pixel's nearest bin."""
    prior = pipeline.measure_color_prior(crops)
    shown = {"shifted": [], "truth": []}

    def predict(lightness, ab):
        assert lightness.shape == (*ab.shape[:3], 1)
        return {"shifted": ab + np.float32([3, 4]), "truth": ab}

    found = measure(
        crops,
        predict,
        prior,
        batch_size=10,
        structural=False,
        watch=lambda name, rgb: shown[name].append(rgb),
    )
    assert [len(part) for part in shown["truth"]] == [10, 10, 4]
    assert np.abs(np.concatenate(shown["truth"]).astype(int) - crops).max() <= 1
    assert found["shifted"]["ab_rmse"] == pytest.approx(5, abs=1e-3)
    assert found["shifted"]["auc"] == pytest.approx(100 * (1 - 5 / 150), abs=1e-3)
    assert "psnr" not in found["truth"]

    gray = measure(crops, lambda lightness, ab: {"gray": ab * 0}, prior, batch_size=64)["gray"]
    ab = rgb2lab(crops)[..., 1:].reshape(-1, 2)
    nearest = np.square(ab[:, None] - CENTERS).sum(-1).argmin(-1)
    weights = rebalancing_weights(prior.bin_counts, mix=0.0)[nearest]
    share = 1 - np.minimum(np.linalg.norm(ab, axis=-1), 150) / 150
    assert gray["rebalanced_auc"] == pytest.approx(100 * np.average(share, weights=weights), abs=0.01)
    assert gray["psnr"] == pytest.approx(
        peak_signal_noise_ratio(crops, graph.gray(pipeline.to_lightness_and_ab(crops)[0])), abs=0.01
    )


def test_other_data_splits_and_temperatures_go_into_metrics_json(old_run):
    """Oracle: the keys, by hand; other images and other temperatures have other values."""
    run_dir = old_run("classification")
    test = evaluate(run_dir, "test")
    evaluate(run_dir, "dev", source="synthetic")
    cold = evaluate(run_dir, "dev", temperature=0.1)
    stored = RunFolder(run_dir).metrics()
    assert list(stored) == ["dev", "test", "dev of synthetic", "dev at T=0.1"]
    assert (stored["test"], stored["dev at T=0.1"]) == (test, cold)
    assert stored["test"]["methods"]["gray"] != stored["dev"]["methods"]["gray"]
    for name, values in stored["dev of synthetic"]["methods"].items():  # the very same images
        assert values == stored["dev"]["methods"][name]
    for name in ("gray", "mean", "mode"):
        assert cold["methods"][name] == pytest.approx(stored["dev"]["methods"][name], rel=1e-3)
    assert cold["methods"]["annealed"] != stored["dev"]["methods"]["annealed"]
    text = table(stored["dev"])
    assert "| mean color |" in text
    assert text.startswith("20 dev images of synthetic, T = 0.89\n\n")
    assert text.count("\n") == 3 + len(stored["dev"]["methods"])
    with pytest.raises(InputError, match="nowhere is not found"):
        evaluate(run_dir, source="nowhere")


def test_a_temperature_where_there_is_none_is_refused(old_runs):
    with pytest.raises(InputError, match="The decoding regression does not use a temperature"):
        evaluate(old_runs["regression"], temperature=0.5)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("statistics.json", '{"bin_counts": [1e400]}', "is not a color prior"),
        ("splits.npz", "no splits", "cannot be read as splits"),
        ("data.json", "[[[", "is missing or damaged"),
        ("config.json", '{"task": ["x"]}', r"has the task \['x'\]"),
        ("metrics.json", '{"dev": ', "is missing or damaged"),
    ],
)
def test_damaged_files_of_a_run_get_one_sentence(old_run, name, text, sentence):
    run_dir = old_run("regression")
    (run_dir / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}.* {sentence}"):
        evaluate(run_dir)


def test_training_images_of_a_named_data_set_are_refused(old_runs, tmp_path):
    """Oracle: the sentence, for the training images as a folder of files; other images are measured."""
    run = RunFolder(old_runs["regression"])
    for name, images in (("own", run.data().train.images), ("other", 255 - run.data().train.images)):
        for i, image in enumerate(images):
            (tmp_path / name / str(i % 2)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(tmp_path / name / str(i % 2) / f"{i}.png")
    with pytest.raises(InputError, match=r"was trained on 100% of the held-out images"):
        evaluate(run.path, source=tmp_path / "own")
    assert evaluate(run.path, source=tmp_path / "other")["images"] > 0


def test_as_many_held_out_images_are_read_as_a_run_asks_for():
    """Oracle: the sizes of the config, although each split is from one half of the held-out images."""
    config = dataclasses.replace(CLASSIFICATION["smoke"], train_size=10, dev_size=2, test_size=9)
    splits = loading.split(config, loading.load(config))
    assert (len(splits.train), len(splits.dev), len(splits.test)) == (10, 2, 9)


def test_a_source_is_split_by_the_runs_settings(old_runs):
    """Oracle: loading's own split of the same data set."""
    run = RunFolder(old_runs["regression"])
    dataset = loading.load(run.config)
    expected = dataset.test.images[loading.split(run.config, dataset).test]
    np.testing.assert_array_equal(run.images("test")[0].images, expected)
