"""Exported: complete colorizers of 8 bit also serve 16 bits, opacity and films, with a function in their place."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from colorization.core import color_numpy
from colorization.core.errors import InputError
from colorization.inference import composition, runtimes
from colorization.inference.runtimes import Exported

GRAY = data.camera()[::8, ::8]
HIDDEN = np.full_like(GRAY, 255)
HIDDEN[16:40] = 0


def by_mean(batch, given):
    """Colors a whole picture by the mean of its lightness, so that every pixel has an influence."""
    assert (batch.dtype, batch.shape[3], given) == ("uint8", 3, {})
    found = []
    for picture in batch:
        lightness = color_numpy.lightness(picture)
        ab = np.full((1, 1, 2), lightness.mean() - 50, np.float32)
        found.append(composition.compose(picture, ab))
    return np.stack(found)


@pytest.fixture
def exported():
    return Exported(by_mean, None, False, Path("model.onnx"))


def test_16_bits_keep_their_lightness(exported):
    """Oracle: scikit-image's Lab, to one level; the colors of the same picture at 8 bits."""
    deep = (GRAY.astype(np.uint16) << 8) | GRAY[::-1]
    colored = exported.colorize(deep)
    assert (colored.shape, colored.dtype) == ((64, 64, 3), "uint16")
    expected = rgb2lab(np.stack([deep] * 3, -1) / 65535)[..., 0]
    assert np.abs(rgb2lab(colored / 65535)[..., 0] - expected).max() < 100 / 65535
    plain = exported.colorize(GRAY)
    assert np.abs(rgb2lab(colored / 65535)[..., 1:] - rgb2lab(plain)[..., 1:]).mean() < 1


def test_hidden_pixels_have_no_influence(exported):
    """Oracle: the same picture with other content where it is hidden."""
    white, black = (
        exported.colorize(np.where(HIDDEN == 0, level, GRAY).astype(np.uint8), alpha=HIDDEN)
        for level in (255, 0)
    )
    np.testing.assert_array_equal(white[HIDDEN > 0], black[HIDDEN > 0])


def test_films_get_the_colors_alone(exported):
    """Oracle: Lab of the colored pictures."""
    frames = np.stack([GRAY, GRAY // 2])
    ab = exported.predict_ab(np.stack([color_numpy.lightness(frame) for frame in frames]))
    assert ab.shape == (2, 64, 64, 2)
    expected = rgb2lab(exported.colorize(frames[..., None]))[..., 1:]
    assert np.abs(ab - expected).mean() < 0.5
    with pytest.raises(InputError, match=r"model\.onnx has its decoding built in"):
        exported.predict_ab(ab[..., 0], decoding="mode")


def test_threads_use_an_interpreter_in_turn():
    """LiteRT sets inputs, computes and reads outputs in separate calls on the same arrays."""
    shared = []

    def run(batch, given):
        shared[:] = [batch]
        time.sleep(0.002)
        return shared[0]

    alone = runtimes._in_turn(run)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: alone(number, {}), range(50)))
    assert found == list(range(50))
