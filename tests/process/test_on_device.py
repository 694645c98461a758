"""On JAX with the data on the device: the batches, the history and the weights are those of Keras's own fit."""

import os
import subprocess
import sys

import numpy as np
import pytest

from colorization.runs import RunFolder

pytest.importorskip("jax")

UNOPTIMIZED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
SCRIPT = """
import sys
from dataclasses import replace
import numpy as np
from colorization.core.config import ClassificationConfig
from colorization.datasets import pipeline
from colorization.training import on_device, trainer

config = ClassificationConfig(
    data="synthetic", train_size=60, dev_size=20, test_size=20, width=0.03, batch_size=16, dev_batch_size=12,
    epochs=2, learning_rate=1e-3, schedule="cosine", flip=True, shift=3, weight_decay=0.1, precision="float32",
)
images = np.random.default_rng(0).integers(0, 256, (60, 40, 40, 3), dtype="uint8")
labels = np.arange(60)
for changes in ({}, {"shift": 0, "crop_from": 40}, {"crop_from": 40}, {"shift": 0, "flip": False}):
    chosen = replace(config, **changes)
    table = (images if chosen.crop_from else images[:, :32, :32], labels)
    transform = lambda rgb, labels, flips: (pipeline.mirrored(rgb, flips), labels)
    batches = on_device.Batches(table, transform, chosen)
    crop = chosen.image_size if chosen.crop_from else None
    options = dict(batch_size=16, seed=0, epochs=2, first_epoch=1, flip=chosen.flip, shift=chosen.shift)
    feed = pipeline.training_batches(table, transform, crop=crop, **options)
    plan = batches.plan(1)
    for start, (expected, numbers) in zip(range(0, 60, 16), feed, strict=True):
        made, places = batches.make(batches.arrays, plan, start, len(numbers))
        assert (np.asarray(made) == np.asarray(expected)).all() and (np.asarray(places) == numbers).all()
"""
TRAINING = """
trainer.train(config, sys.argv[1] + "/device")
on_device.fits = lambda *tables: False
trainer.train(config, sys.argv[1] + "/keras")
"""


def run(script, folder):
    """Run a script on JAX in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, folder],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": UNOPTIMIZED},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_batches_are_those_of_the_host(tmp_path):
    """Oracle: pipeline.training_batches, inside the script: the same images, crops and labels in order."""
    run(SCRIPT, tmp_path)


@pytest.mark.slow
def test_training_is_that_of_model_fit(tmp_path):
    """Oracle: Keras's own loop; float32 sums may differ."""
    run(SCRIPT + TRAINING, tmp_path)
    device, keras = (RunFolder(tmp_path / name) for name in ("device", "keras"))
    for ours, theirs in zip(device.history(), keras.history(), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    for name, array in keras.weights().items():
        np.testing.assert_allclose(device.weights()[name], array, atol=1e-3, err_msg=name)
