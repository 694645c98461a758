"""The table of tasks: every row from lightness to a colored picture, at tiny width."""

import keras
import numpy as np
import pytest
from keras import ops

from colorization.core import bins, color, losses
from colorization.core.color_prior import rebalancing_weights
from colorization.core.config import CONFIGS
from colorization.core.errors import InputError
from colorization.datasets import pipeline
from colorization.inference import graph
from colorization.models import tasks

RGB = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("uint8")
LAB = np.asarray(color.rgb_to_lab(RGB))
DEFAULTS = {"regression": "regression", "classification": "annealed", "transfer": "annealed"}
SIZES = {"transfer": {"image_size": 16, "vgg_size": 64, "vgg_width": 0.05, "frozen_blocks": 0}}


@pytest.fixture(scope="module")
def prior():
    return pipeline.measure_color_prior(RGB)


def built(name, **settings):
    """(config, model) of a task at tiny width."""
    keras.utils.set_random_seed(0)
    config = tasks.TASKS[name].config(width=0.05, **SIZES.get(name, {}), **settings)
    return config, tasks.TASKS[name].build(config)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_a_task_builds_and_decodes(name, prior):
    """Oracle: shapes and ranges, and the picture's lightness, up to the rounding to 8 bits."""
    task = tasks.TASKS[name]
    config, model = built(name, l2=0.01)
    assert tasks.of(config) is task
    assert CONFIGS[name] is task.config
    assert len(model.losses) > 0

    output = model(LAB[..., :1])
    values = np.asarray(task.loss(config, prior)(LAB[..., 1:], output))
    assert values.shape == (3,)
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


@pytest.mark.parametrize("name", tasks.TASKS)
def test_a_task_learns_a_color(name, prior):
    """Oracle: the color itself, one bin's center: every decoding comes near it, from far away."""
    task = tasks.TASKS[name]
    config, model = built(name)
    truth = np.broadcast_to(np.float32([40, -30]), (*RGB.shape[:3], 2))
    model.compile(keras.optimizers.Adam(0.02), loss=task.loss(config, prior))
    predictor = graph.predictor(model, task.decodings, 0.5)

    def distances():
        decoded = predictor.predict_on_batch(LAB[..., :1])
        return {name: np.linalg.norm(ab - truth, axis=-1).mean() for name, ab in decoded.items()}

    before = distances()
    for _ in range(60):
        model.train_on_batch(LAB[..., :1], truth)
    for decoding, distance in distances().items():
        assert distance < 10 < 25 < before[decoding], decoding


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_decodings_are_found_by_name(name, default):
    """Oracle: the report's: the annealed mean is the classification's default; others are refused, listed."""
    task = tasks.TASKS[name]
    assert tasks.decoding(task) == (default, task.decodings[default])
    for decoding, function in task.decodings.items():
        assert tasks.decoding(task, decoding) == (decoding, function)
        if function.takes_temperature:
            tasks.refuse_temperature(task, decoding)
        else:
            with pytest.raises(InputError, match=f"The decoding {decoding} does not use a temperature"):
                tasks.refuse_temperature(task, decoding)
    with pytest.raises(InputError, match=f"Unknown decoding 'median'.* {', '.join(task.decodings)}"):
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
    assert [name for name, found in decodings.items() if found.takes_temperature] == ["annealed"]


def test_classification_heeds_its_settings(prior):
    """Oracle: the loss itself, called with the settings; the weight of a pixel is that of its nearest bin."""
    task = tasks.TASKS["classification"]
    ab, logits = LAB[..., 1:], np.random.default_rng(2).normal(size=(3, 16, 16, 313)).astype("float32")
    hard = task.loss(task.config(neighbors=1), prior)(ab, logits)
    np.testing.assert_array_equal(hard, losses.soft_cross_entropy(ab, logits, neighbors=1))

    settings = task.config(neighbors=3, sigma=9.0, rebalance=True, rebalance_mix=0.2, rebalance_sigma=3.0)
    weights = rebalancing_weights(prior.bin_counts, 0.2, 3.0)
    expected = losses.soft_cross_entropy(ab, logits, 3, 9.0, bin_weights=weights)
    np.testing.assert_allclose(task.loss(settings, prior)(ab, logits), expected, rtol=1e-6)
    assert weights.std() > 0.1


def test_colors_that_srgb_lacks_keep_their_lightness():
    """Oracle: the lightness asked for, within the rounding to 8 bits."""
    rng = np.random.default_rng(3)
    lightness = rng.uniform(0, 100, (1, 20, 30, 1)).astype("float32")
    picture = graph.compose(lightness, rng.uniform(-128, 128, (1, 20, 30, 2)))
    found = np.asarray(color.rgb_to_lab(ops.convert_to_tensor(picture)))[..., :1]
    assert np.abs(found - lightness).max() < 0.6
