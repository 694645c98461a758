"""Samples: they differ where the distribution is wide, agree where it is narrow, and have no speckle."""

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

import colorization
from colorization.core.bin_centers import CENTERS, COUNT
from colorization.inference import composition, propagation, samples
from colorization.inference.rendering import Rendering

SIZE = 48
HALF = SIZE // 2
CERTAIN = int(np.flatnonzero((CENTERS == (20, 30)).all(axis=1))[0])


@pytest.fixture(scope="module")
def halves():
    """Logits: the left half is one bin, the right one has all bins alike."""
    logits = np.zeros((SIZE, SIZE, COUNT), np.float32)
    logits[:, :HALF, CERTAIN] = 50
    return logits


@pytest.fixture(scope="module")
def drawn(halves):
    """Four samples on the lightness of a photograph, whose edges the random fields follow."""
    lightness = composition.shrink(data.camera(), (SIZE, SIZE))
    return samples.sample(halves, lightness, 4, seed=3)


def test_samples_agree_where_the_network_is_sure(drawn):
    """Oracle: the center of the only bin."""
    np.testing.assert_allclose(
        drawn[:, :, :HALF], np.broadcast_to(CENTERS[CERTAIN], (4, SIZE, HALF, 2)), atol=0.1
    )


def test_samples_differ_where_it_is_not(drawn):
    """Each from each, by several times the least difference that is seen (2.3 units)."""
    for first in range(4):
        for second in range(first):
            distance = np.linalg.norm(drawn[first] - drawn[second], axis=-1)[:, HALF:]
            assert np.median(distance) > 15


def test_samples_have_no_speckle():
    """Within a region the step to the next pixel is small; drawn pixel by pixel it is as large as the spread."""
    lightness = np.full((SIZE, SIZE), 50, np.float32)
    drawn = samples.sample(np.zeros((SIZE, SIZE, COUNT), np.float32), lightness, 4, seed=0)
    steps = np.linalg.norm(np.diff(drawn, axis=2), axis=-1)
    spread = np.linalg.norm(drawn.std(axis=0), axis=-1).mean()
    assert spread > 40
    assert steps.mean() < spread / 20


def test_random_fields_jump_at_edges():
    """Neighbors across a strong edge are nearly independent; neighbors within a region are alike."""
    lightness = np.full((24, 24), 30, np.float32)
    lightness[:, 12:] = 80
    fields = propagation.Propagation(lightness, 1.0).draw(400, 0)
    assert np.abs(fields.std(axis=0) - 1).max() < 0.3
    middle = fields[:, 12]
    assert abs(np.corrcoef(middle[:, 11], middle[:, 12])[0, 1]) < 0.3
    assert np.corrcoef(middle[:, 10], middle[:, 11])[0, 1] > 0.98


def test_each_pixel_follows_its_distribution():
    """Oracle: mean and variance of a random distribution, of b exactly and of a nearly."""
    generator = np.random.default_rng(0)
    nearby = -np.square(CENTERS - (10, -20)).sum(axis=1) / 2000
    logits = (nearby + generator.normal(0, 0.5, COUNT)).astype(np.float32)
    rectangle = np.zeros((1, *samples._SIDES), np.float32)
    probability = np.exp(logits) / np.exp(logits).sum()
    rectangle[0][samples._GRID] = probability
    levels = generator.uniform(size=(2, 200, 200))
    found = samples._colors(np.broadcast_to(rectangle, (200, 200, *samples._SIDES)), *levels).reshape(-1, 2)
    mean = probability @ CENTERS
    deviation = np.sqrt(probability @ np.square(CENTERS - mean))
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=1)
    np.testing.assert_allclose(found.std(axis=0), deviation, rtol=0.03)


def test_a_seed_gives_the_same_samples_again(halves):
    lightness = np.full((SIZE, SIZE), 50, np.float32)
    first, again, other = (samples.sample(halves, lightness, 2, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other)[:, :, HALF:].max() > 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 8)])
@pytest.mark.parametrize("temperature", [0, 1])
def test_small_pictures_and_no_temperature(shape, temperature):
    drawn = samples.sample(
        np.random.default_rng(0).normal(0, 1, (*shape, COUNT)),
        np.zeros(shape, np.float32),
        1,
        temperature=temperature,
    )
    assert drawn.shape == (1, *shape, 2)
    assert np.isfinite(drawn).all()


def test_pictures_of_a_model():
    """Options, depth, opacity and borders of the picture hold for its samples; the first page of a file is taken."""
    gray = np.pad(data.camera()[::8, ::8], 9, constant_values=255).astype(np.uint16) * 257
    alpha = np.full(gray.shape, 65535, np.uint16)
    alpha[30:40, 20:60] = 0
    rendering = Rendering(quality="best", restore_contrast=True, saturation=0.5)
    model = colorization.load("cifar10-classification", rendering=rendering)
    drawn = list(model.samples(gray, 2, alpha=alpha))
    assert [(each.shape, each.dtype) for each in drawn] == [((*gray.shape, 3), np.uint16)] * 2
    for each in drawn:
        assert np.ptp(each[:8].astype(int), axis=-1).max() == 0
        assert (
            np.abs(rgb2lab(each / 65535)[..., 0] - rgb2lab(np.stack([gray / 65535] * 3, -1))[..., 0]).max()
            < 0.1
        )
    changed = np.where(alpha == 0, 65535 - gray, gray)
    again = list(model.samples(changed, 2, alpha=alpha))
    np.testing.assert_array_equal(again[1][alpha > 0], drawn[1][alpha > 0])
    assert model.confidence(gray, alpha=alpha).shape[1] == 480
    with pytest.raises(ValueError, match="expected one image, received 2"):
        model.samples(np.stack([gray, gray])[..., None], 2)
