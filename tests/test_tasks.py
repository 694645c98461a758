"""colorization.tasks: every task from lightness to a colored picture, at tiny width."""

import numpy as np
import pytest
from keras import ops

from colorization.core import bins, color, config, losses, color_prior
from colorization.inference import graph
from colorization.runs import folder
from colorization.models import tasks
from colorization.core.errors import InputError

RGB = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("uint8")
LAB = np.asarray(color.rgb_to_lab(RGB))
DEFAULTS = {"regression": "regression", "classification": "annealed", "transfer": "annealed"}
SIZES = {"transfer": {"image_size": 16, "vgg_size": 64, "vgg_width": 0.05}}


@pytest.fixture(scope="module")
def measured():
    return color_prior.measure(RGB)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_a_task_builds_learns_and_decodes(name, measured):
    """Oracle: shapes and finite values of the loss and of every decoding, up to the picture in uint8."""
    task = tasks.TASKS[name]
    settings = task.config(width=0.05, l2=0.01, **SIZES.get(name, {}))
    assert tasks.of(settings) is task
    assert tasks.CONFIGS[name] is task.config
    model = task.build(settings)
    assert len(model.losses) > 0

    values = np.asarray(task.loss(settings, measured)(LAB[..., 1:], model(LAB[..., :1], training=True)))
    assert values.shape == (3,)
    assert np.isfinite(values).all()
    assert (values > 0).all()

    decoded = graph.predictor(model, task.decodings, 0.5)(LAB[..., :1])
    assert list(decoded) == list(task.decodings)
    for ab in decoded.values():
        assert tuple(ab.shape) == (3, 16, 16, 2)
        assert np.abs(np.asarray(ab)).max() <= 128
        picture = graph.compose(LAB[..., :1], ab)
        assert (picture.dtype, picture.shape) == ("uint8", RGB.shape)
        lightness = np.asarray(color.rgb_to_lab(picture))[..., 0]
        assert np.abs(lightness - LAB[..., 0]).max() < 0.6


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_decodings_are_found_by_name(name, default):
    """Oracle: the report's: the annealed mean is the classification's default; others are refused, listed."""
    task = tasks.TASKS[name]
    assert tasks.decoding(task) == (default, task.decodings[default])
    for decoding, function in task.decodings.items():
        assert tasks.decoding(task, decoding) == (decoding, function)
    with pytest.raises(InputError, match=", ".join(task.decodings) + ", not by 'median'"):
        tasks.decoding(task, "median")


def test_decodings_are_those_of_the_report():
    """Oracle: the inverse of the regression's target; bins' own functions, the temperature heeded by one."""
    scaled = np.random.default_rng(1).uniform(0, 1, (2, 3, 4, 2)).astype("float32")
    decode = tasks.TASKS["regression"].decodings["regression"]
    np.testing.assert_allclose(decode(scaled, 0.3), scaled * 255 - 128, rtol=0, atol=1e-4)
    logits = np.random.default_rng(1).normal(scale=3, size=(2, 3, 4, 313)).astype("float32")
    decodings = tasks.TASKS["classification"].decodings
    for name, expected in {
        "annealed": bins.annealed_mean(logits, 0.3),
        "mean": bins.decode_mean(logits),
        "mode": bins.decode_mode(logits),
    }.items():
        np.testing.assert_array_equal(decodings[name](logits, 0.3), expected)


def test_classification_heeds_its_settings(measured):
    """Oracle: the loss itself, called with the settings; the weight of a pixel is that of its nearest bin."""
    task = tasks.TASKS["classification"]
    ab, logits = LAB[..., 1:], np.random.default_rng(2).normal(size=(3, 16, 16, 313)).astype("float32")
    hard = task.loss(task.config(neighbors=1), measured)(ab, logits)
    np.testing.assert_array_equal(hard, losses.soft_cross_entropy(ab, logits, neighbors=1))

    settings = task.config(neighbors=3, sigma=9.0, rebalance=True, rebalance_mix=0.2, rebalance_sigma=3.0)
    weights = bins.rebalancing_weights(measured.bin_counts, 0.2, 3.0)
    expected = losses.soft_cross_entropy(ab, logits, 3, 9.0, bin_weights=weights)
    np.testing.assert_allclose(task.loss(settings, measured)(ab, logits), expected, rtol=1e-6)
    assert weights.std() > 0.1


def test_measured_statistics_are_numpys(measured):
    """Oracle: brute force over all distances, and the mean."""
    ab = LAB[..., 1:].reshape(-1, 2).astype("float64")
    nearest = np.square(ab[:, None] - bins.CENTERS).sum(-1).argmin(-1)
    np.testing.assert_array_equal(measured.bin_counts, np.bincount(nearest, minlength=313))
    np.testing.assert_allclose(measured.mean_ab, ab.mean(0), rtol=0, atol=1e-4)
    in_chunks = color_prior.measure(RGB, chunk=2)
    np.testing.assert_array_equal(in_chunks.bin_counts, measured.bin_counts)
    np.testing.assert_allclose(in_chunks.mean_ab, measured.mean_ab, rtol=0, atol=1e-5)


def test_statistics_come_back_from_their_file(tmp_path, measured):
    """Oracle: equality; a file that holds something else is refused by name."""
    path = tmp_path / "statistics.json"
    measured.save(path)
    loaded = color_prior.Statistics.load(path)
    np.testing.assert_array_equal(loaded.bin_counts, measured.bin_counts)
    np.testing.assert_array_equal(loaded.mean_ab, measured.mean_ab)
    for text in (
        "",
        "[]",
        '{"bin_counts": [1], "mean_ab": [0, 0]}',
        path.read_text().replace("mean_ab", "mean"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=r"statistics\.json holds no statistics"):
            color_prior.Statistics.load(path)


def test_an_unknown_task_is_refused(tmp_path):
    """Oracle: the table's names, of which a run folder's config.json must name one."""
    (tmp_path / config.FILE).write_text('{"task": "gan"}')
    with pytest.raises(InputError, match=r"config\.json names the task 'gan', .*" + ", ".join(tasks.TASKS)):
        folder.read_config(tmp_path)


def test_colors_that_srgb_lacks_keep_their_lightness():
    """Oracle: the lightness asked for, within the rounding to 8 bits."""
    rng = np.random.default_rng(3)
    lightness = rng.uniform(0, 100, (1, 20, 30, 1)).astype("float32")
    picture = graph.compose(lightness, rng.uniform(-128, 128, (1, 20, 30, 2)))
    found = np.asarray(color.rgb_to_lab(ops.convert_to_tensor(picture)))[..., :1]
    assert np.abs(found - lightness).max() < 0.6
