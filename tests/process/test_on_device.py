"""On JAX with the data on the device: the batches, the history and the weights are those of Keras's own fit."""

import os
import subprocess
import sys

import numpy as np
import pytest
from support.training_process import Trainings

from colorization.runs import RunFolder

pytest.importorskip("jax")

ENVIRONMENT = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
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

    streamed = on_device.Batches(table, transform, chosen, room=sum(array.nbytes for array in table) * 4 // 5)
    pieces = list(streamed.pieces(1))
    assert [len(piece.arrays[0]) for piece in pieces] == [16] * 4
    made = [streamed.make(piece.arrays, piece.plan, *part) for piece in pieces for part in piece.parts]
    feed = pipeline.training_batches(table, transform, crop=crop, **options)
    for (images_made, places), (expected, numbers) in zip(made, feed, strict=True):
        assert (np.asarray(images_made) == np.asarray(expected)).all() and (np.asarray(places) == numbers).all()
"""
TRAINING = """
trainer.train(config, sys.argv[1] + "/device")
on_device.room = lambda: 50_000
trainer.train(config, sys.argv[1] + "/streamed")
on_device.is_possible = lambda: False
trainer.train(config, sys.argv[1] + "/keras")
"""


def run(script, folder):
    """Run a script on JAX in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, folder],
        env={**os.environ, **ENVIRONMENT, "XLA_FLAGS": UNOPTIMIZED},
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
    device, streamed, keras = (RunFolder(tmp_path / name) for name in ("device", "streamed", "keras"))
    assert streamed.history() == device.history()
    for ours, theirs in zip(device.history(), keras.history(), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    for name, array in keras.weights().items():
        np.testing.assert_allclose(device.weights()[name], array, atol=1e-3, err_msg=name)


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bits(tmp_path):
    """Killed in a step, and while the state is written. Oracle: a run never stopped."""
    options = ("dropout=0.3", "shift=2", "weight_decay=0.01")
    with Trainings(tensorflow=False, **ENVIRONMENT, XLA_FLAGS=UNOPTIMIZED) as trainings:
        for kill in (("step", 6), ("save", 5), ("save", 6)):
            trainings.must_train("classification", tmp_path / "run", *options, kill=kill)
        for name in ("run", "whole"):
            trainings.must_train("classification", tmp_path / name, *options)
    run, whole = (RunFolder(tmp_path / name) for name in ("run", "whole"))
    assert run.history() == whole.history()
    groups, expected = run.read_state()[0], whole.read_state()[0]
    assert groups.keys() == expected.keys() == {"model", "optimizer", "random"}
    for name, arrays in expected.items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(groups[name][key], array, err_msg=f"{name}: {key}")
