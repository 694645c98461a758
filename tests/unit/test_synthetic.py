"""The synthetic set: seeded, balanced, its colors inside sRGB, equally likely, and not told by lightness."""

from functools import cache

import cv2
import numpy as np
import pytest

from colorization.datasets import PALETTES, SYNTHETIC_CLASSES, Dataset, load


@cache
def drawn() -> Dataset:
    return load("synthetic", train_limit=2000, test_limit=500)


def test_synthetic_is_seeded_balanced_and_a_prefix_of_the_longer_one():
    dataset = drawn()
    assert dataset.classes == SYNTHETIC_CLASSES
    assert np.bincount(dataset.train.labels).tolist() == [200] * 10
    short = load("synthetic", train_limit=730, test_limit=1)
    np.testing.assert_array_equal(short.train.images, dataset.train.images[:730])
    np.testing.assert_array_equal(short.train.labels, dataset.train.labels[:730])
    np.testing.assert_array_equal(short.test.images, dataset.test.images[:1])
    assert (dataset.train.images[:500] != dataset.test.images).any()
    other = load("synthetic", train_limit=10, test_limit=1, seed=1)
    assert (other.train.images != dataset.train.images[:10]).any()
    assert load("synthetic", train_limit=5, test_limit=5, image_size=48).test.images.shape == (5, 48, 48, 3)


def test_synthetic_colors_lie_inside_srgb():
    for name, palette in PALETTES.items():
        for lightness in (50, 65):
            lab = np.array([[(lightness, *color) for color in palette]], np.float32)
            there_and_back = cv2.cvtColor(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), cv2.COLOR_RGB2Lab)
            assert np.abs(there_and_back - lab).max() < 5, name
    images = drawn().train.images
    assert ((images == 0) | (images == 255)).mean() < 0.002


def object_colors(name: str) -> tuple[np.ndarray, np.ndarray]:
    """For each image of a class: the palette color that most of its pixels have, and their mean ab."""
    dataset, palette = drawn(), np.array(PALETTES[name], np.float32)
    images = dataset.train.images[dataset.train.labels == SYNTHETIC_CLASSES.index(name)]
    lab = np.stack([cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for image in images])
    distances = np.linalg.norm(lab[..., None, 1:] - palette, axis=-1)  # (N, 32, 32, colors)
    color = (distances < 8).sum(axis=(1, 2)).argmax(axis=1)
    near = distances[np.arange(len(lab)), ..., color] < 8
    mean = np.stack([ab[mask].mean(axis=0) for ab, mask in zip(lab[..., 1:], near, strict=True)])
    assert near.mean() > 0.05  # there is an object to speak of
    return color, mean


@pytest.mark.parametrize("name", [name for name, palette in PALETTES.items() if len(palette) > 1])
def test_synthetic_colors_are_equally_likely_and_nearly_gray_in_the_mean(name):
    palette = np.array(PALETTES[name])
    color, mean = object_colors(name)
    counts = np.bincount(color, minlength=len(palette))
    expected = len(color) / len(palette)
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi squared, 3 degrees, 1 in 1000
    assert np.abs(mean - palette[color]).max() < 5  # one object, one color
    chroma = np.linalg.norm(palette, axis=1).mean()
    assert np.linalg.norm(palette.mean(axis=0)) < 0.55 * chroma  # the best answer in the mean is grayish


@pytest.mark.parametrize("name", [name for name, palette in PALETTES.items() if len(palette) > 1])
def test_synthetic_lightness_is_the_same_in_every_color(name, monkeypatch):
    """Oracle: OpenCV's lightness of the same scenes, whose object always takes one color of its palette."""

    def lightness_in(color) -> np.ndarray:
        monkeypatch.setitem(PALETTES, name, (color,) * len(palette))  # the generator goes on as it would
        part = load("synthetic", train_limit=500, test_limit=1).train
        images = part.images[part.labels == SYNTHETIC_CLASSES.index(name)]
        return cv2.cvtColor(images.reshape(-1, 32, 3).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[..., 0]

    palette = PALETTES[name]
    first, *others = (lightness_in(color) for color in palette)
    for other in others:
        assert abs((other - first).mean()) < 0.05
        assert np.quantile(np.abs(other - first), 0.99) < 1  # 8-bit rounding, and the odd clipped pixel
