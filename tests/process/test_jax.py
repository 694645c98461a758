"""On JAX: training without TensorFlow, the same batches, and the oracles of colors, bins, losses and metrics."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.training_process import Trainings

from colorization.datasets import pipeline
from colorization.runs import RunFolder

pytest.importorskip("jax")
ROOT = Path(__file__).resolve().parents[2]

UNOPTIMIZED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""XLA_FLAGS that halve the time of a short training on JAX, which is mostly compilation."""

ESSENCE = "scikit_image or just_so_far or encoding_is_exact or formula or dense_ones or squared_error"


def test_training_without_tensorflow_gets_the_same_batches(tmp_path):
    """JAX trains where tensorflow cannot be imported. Oracle: the batches that tf.data gives here."""
    rgb = np.random.default_rng(1).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "rgb.npy", rgb)
    environment = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": UNOPTIMIZED}
    with Trainings(tensorflow=False, **environment) as trainings:
        trainings.must_train("", "", feed=(tmp_path / "rgb.npy", tmp_path / "jax.npz"))
        trainings.must_train("classification", tmp_path / "run", "epochs=2", "dropout=0.2")
    first, last = RunFolder(tmp_path / "run").history()
    assert last["loss"] < first["loss"]
    assert RunFolder(tmp_path / "run").sessions()[0]["backend"] == "jax"
    assert set(RunFolder(tmp_path / "run").metrics()["dev"]["methods"]) >= {"annealed", "mode", "truth"}

    options = {"batch_size": 7, "seed": 5, "epochs": 2, "flip": True, "shift": 1}
    ours = list(pipeline.training_batches((rgb,), pipeline.to_lightness_and_ab, **options))
    with np.load(tmp_path / "jax.npz") as theirs:
        assert len(theirs.files) == len(ours) == 6
        for name, pair in zip(theirs.files, ours, strict=True):
            np.testing.assert_allclose(theirs[name], np.concatenate(pair, -1), atol=2e-3)


@pytest.mark.parametrize("chosen", [ESSENCE, pytest.param("not tensorflow", marks=pytest.mark.slow)])
def test_colors_bins_losses_and_metrics_on_jax(chosen):
    """Oracle: the oracles of those files' own tests; in a process of its own, with warnings as errors too."""
    names = [f"tests/unit/test_{name}.py" for name in ("color", "bins", "losses", "metrics")]
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *names],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": UNOPTIMIZED},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert " passed" in process.stdout
