"""The settings that suit a machine."""

import keras
import numpy as np
import pytest

from colorization.core import devices, losses
from colorization.core.errors import InputError
from colorization.datasets import pipeline

on_tensorflow_cpu = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow" or bool(devices.accelerators()), reason="TensorFlow on a CPU only"
)


@on_tensorflow_cpu
@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        ("GenuineIntel avx512f avx512_bf16", "float32"),
        ("GenuineIntel avx512f avx512_bf16 amx_bf16", "mixed_bfloat16"),
        ("AuthenticAMD avx512f avx512_bf16", "mixed_bfloat16"),
        ("AuthenticAMD avx2", "float32"),
    ],
)
def test_bfloat16_is_for_processors_that_gain_by_it(processor, expected, monkeypatch):
    """Oracle: the measured rates, see devices."""
    monkeypatch.setattr(devices, "cpu_info", lambda: processor)
    assert devices.precision("auto") == expected
    assert devices.precision("mixed_bfloat16") == "mixed_bfloat16"


def test_mirrored_needs_tensorflow(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert devices.strategy("auto") is None
    with pytest.raises(InputError, match="distribute=mirrored works with TensorFlow only"):
        devices.strategy("mirrored")


@on_tensorflow_cpu
def test_the_compiled_feed_and_loss_compute_the_same():
    """Oracle: the functions themselves, without XLA."""
    generator = np.random.default_rng(0)
    rgb, flips = generator.integers(0, 256, (3, 8, 8, 3), "uint8"), np.array([True, False, True])
    feed = devices.compiled(pipeline.to_lightness_and_ab, "auto")
    assert feed is not pipeline.to_lightness_and_ab
    lightness, ab = feed(rgb, flips)
    expected = pipeline.to_lightness_and_ab(rgb, flips)
    np.testing.assert_allclose(lightness, expected[0], atol=1e-4)
    np.testing.assert_allclose(ab, expected[1], atol=1e-3)
    logits = generator.normal(size=(3, 8, 8, 313)).astype("float32")
    loss = devices.compiled(losses.soft_cross_entropy, "auto")
    np.testing.assert_allclose(loss(ab, logits), losses.soft_cross_entropy(ab, logits), rtol=1e-5)
    assert devices.compiled(losses.soft_cross_entropy, "off") is losses.soft_cross_entropy
