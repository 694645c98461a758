"""What was saved works where this project is not installed."""

import os
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
from skimage import data

from colorization import Colorizer, models
from colorization.core import color
from colorization.export import export_model
from colorization.inference import graph
from colorization.runs import resolve

ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("colorization", "vgg_eval"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import keras, numpy as np, tensorflow as tf

model = tf.saved_model.load("savedmodel")
picture = tf.constant(np.load("picture.npy")[None])
found = model.signatures["analyze"](image=picture, temperature=tf.constant(0.89))
np.savez("found.npz", rgb=model.colorize(picture, temperature=0.89)["rgb"], **found)
for name in ("regression", "classification"):
    model = keras.models.load_model(f"{name}.keras")
    np.save(f"{name}.npy", keras.ops.convert_to_numpy(model(np.load("lightness.npy"), training=False)))
"""
PICTURE = data.coffee()[:160:2, :160:2, :1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what a process that cannot import this project has made of a SavedModel and two .keras files."""
    folder = tmp_path_factory.mktemp("alone")
    export_model(resolve.preset_folder("cifar10-classification"), "savedmodel", folder / "savedmodel")
    np.save(folder / "picture.npy", PICTURE)
    np.save(
        folder / "lightness.npy", np.random.default_rng(0).uniform(0, 100, (2, 16, 24, 1)).astype("float32")
    )
    for name in ("regression", "classification"):
        keras.utils.set_random_seed(0)
        model = getattr(models, name)(width=0.05, l2=0.01, dropout=0.1)
        model.save(folder / f"{name}.keras")
        expected = model(np.load(folder / "lightness.npy"), training=False)
        np.save(folder / f"expected-{name}.npy", keras.ops.convert_to_numpy(expected))
    done = subprocess.run(
        [sys.executable, "-c", ALONE], env=os.environ, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_a_savedmodel_stands_alone(folder):
    """Oracle: Colorizer, and NumPy's entropy of the logits."""
    with np.load(folder / "found.npz") as archive:
        found = dict(archive)
    colorizer = Colorizer.from_preset("cifar10-classification")
    expected = colorizer.colorize(PICTURE, temperature=0.89)
    assert (np.abs(found["rgb"][0].astype(int) - expected) > 1).mean() < 1e-3
    assert found["ab"].shape == (1, 80, 80, 2)
    lightness = np.asarray(color.rgb_to_lab(PICTURE.repeat(3, -1)))[None, ..., :1]
    logits = np.asarray(colorizer.model(graph.resize(lightness, (32, 32)), training=False), "float64")
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    entropy = -(p * np.log(p + 1e-300)).sum(-1)[0].astype("float32")
    expected = cv2.resize(entropy, (80, 80), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found["entropy"][0], expected, atol=0.02)
    assert found["entropy"].std() > 0.05


@pytest.mark.parametrize("name", ["regression", "classification"])
def test_saved_models_load_where_only_keras_is(folder, name):
    """Oracle: this process's outputs; the fresh one loads in safe mode."""
    expected = np.load(folder / f"expected-{name}.npy")
    np.testing.assert_allclose(np.load(folder / f"{name}.npy"), expected, rtol=1e-6, atol=1e-6)
