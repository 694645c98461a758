"""Colors of films over time: keyframes, motion, cuts, flicker; and stages that run side by side."""

import itertools
import threading
import time

import cv2
import numpy as np
import pytest
from skimage import data
from skimage.color import lab2rgb, rgb2gray

from colorization.inference.films import temporal_smoothing
from colorization.inference.films.film_frames import Picture
from colorization.inference.films.film_pipeline import ahead
from colorization.inference.films.optical_flow import OpticalFlow, is_cut
from colorization.inference.films.temporal_smoothing import KeyframeColors


def plain(count, size=(16, 16), level=140):
    """Pictures of one gray."""
    return [Picture(number, np.full((*size, 3), level, np.uint8)) for number in range(count)]


def tints(values):
    """A colorizer that gives one tint to each picture in turn."""
    following = iter(values)
    return lambda lightness: np.broadcast_to(np.float32(next(following)), (1, 4, 4, 2))


def mean_colors(colors, pictures):
    return np.array([one.ab.mean((0, 1)) for one in colors.of(pictures)])


def test_flicker_is_smoothed():
    """Oracle: an exponential mean of independent tints varies by sqrt((1 - k) / (1 + k)) of what they do."""
    values = np.random.default_rng(0).normal(0, 12, (400, 2))
    found = mean_colors(KeyframeColors(tints(values), interval=1), plain(400))
    expected = np.sqrt((1 - temporal_smoothing.KEPT) / (1 + temporal_smoothing.KEPT))
    assert found[20:].std() / values[20:].std() == pytest.approx(expected, rel=0.25)


def test_without_smoothing_each_color_is_as_predicted():
    values = np.random.default_rng(0).normal(0, 12, (20, 2))
    found = mean_colors(KeyframeColors(tints(values), interval=1, smooth=False), plain(20))
    np.testing.assert_allclose(found, values, atol=1e-4)


def test_colors_between_keyframes_change_evenly():
    """Oracle: linear interpolation of the keyframes' colors, where nothing moves; the last frame is one."""
    values = [(0, 0), (20, -8), (10, -4), (30, -12)]
    found = mean_colors(KeyframeColors(tints(values), interval=4, smooth=False), plain(12))
    expected = np.interp(np.arange(12), [0, 4, 8, 11], [0, 20, 10, 30])
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-4)
    np.testing.assert_allclose(found[:, 1], -0.4 * expected, atol=1e-4)


def moving(count):
    """(pictures of textured stripes that move by 3 pixels each, their ab): lightness tells them apart badly."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 60, (96, 420)), (0, 0), 2)
    red = (np.arange(420) // 25 % 2 == 0)[:, None]
    ab = np.broadcast_to(np.where(red, (20, 12), (-20, 12)), (96, 420, 2))
    wide = np.round(255 * lab2rgb(np.dstack([60 + texture, 0 * ab]))).astype(np.uint8)
    places = [slice(3 * number, 3 * number + 128) for number in range(count)]
    return [Picture(n, np.ascontiguousarray(wide[:, place])) for n, place in enumerate(places)], [
        ab[:, place] for place in places
    ]


@pytest.mark.parametrize(("interval", "limit"), [(1, 3), (8, 6)])
def test_colors_follow_what_moves(interval, limit):
    """Oracle: the true colors of the stripes. Colors that stood still would be off by more than 15."""
    pictures, true = moving(60)
    keyframes = iter([*true[::interval], true[-1]])
    colors = KeyframeColors(lambda lightness: np.float32(next(keyframes))[None], interval=interval)
    off = [
        np.linalg.norm(one.ab - ab, axis=-1).mean() for one, ab in zip(colors.of(pictures), true, strict=True)
    ]
    assert max(off) < limit
    standing = np.linalg.norm(true[0] - true[4], axis=-1).mean()
    assert standing > 15


def test_no_color_goes_over_a_cut():
    """Oracle: the prediction on each side; a cut is a keyframe, wherever it lies."""
    scenes = [data.astronaut()[:96, :128], data.coffee()[:96, :128]]
    pictures = [Picture(number, scenes[number >= 11]) for number in range(24)]
    predicted = []

    def predict(lightness):
        predicted.append(lightness)
        return np.full((1, 96, 128, 2), 30 if lightness.std() > cut_between else -30, np.float32)

    contrasts = [rgb2gray(scene).std() * 100 for scene in scenes]
    cut_between = np.mean(contrasts)
    before, after = (30, -30) if contrasts[0] > contrasts[1] else (-30, 30)
    found = mean_colors(KeyframeColors(predict, interval=8), pictures)[:, 0]
    assert len(predicted) == 6  # 0, 8, 10 before the cut, 11, 16, 23 at the end
    np.testing.assert_allclose(found[:11], before, atol=1e-3)
    np.testing.assert_allclose(found[11:], after, atol=1e-3)


PHOTOGRAPHS = {
    name: cv2.resize(
        np.float32(100 * rgb2gray(getattr(data, name)())), (192, 144), interpolation=cv2.INTER_AREA
    )
    for name in ("astronaut", "coffee", "chelsea", "rocket")
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PHOTOGRAPHS, 2)))
@pytest.mark.parametrize("darkness", [1, 0.3])
def test_other_scenes_are_cuts(first, second, darkness):
    """Dark scenes too."""
    before, after = darkness * PHOTOGRAPHS[first], darkness * PHOTOGRAPHS[second]
    assert is_cut(before, OpticalFlow().move(before[..., None], before, after), after)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_motion_and_grain_are_no_cuts(name):
    """The camera moves and zooms, and the light changes."""
    photograph, flow = PHOTOGRAPHS[name], OpticalFlow()
    rng = np.random.default_rng(0)
    zoom = cv2.getRotationMatrix2D((96, 72), 3, 1.05)
    for changed in (
        np.roll(photograph, 5, axis=1),
        np.roll(photograph, 3, axis=0),
        cv2.warpAffine(photograph, zoom, (192, 144), borderMode=cv2.BORDER_REPLICATE),
        photograph + rng.normal(0, 3, photograph.shape).astype(np.float32),
        np.clip(photograph + 4, 0, 100),
    ):
        assert not is_cut(photograph, flow.move(photograph[..., None], photograph, changed), changed)


def test_work_continues_behind_any_keyframe():
    """Oracle: the colors without an interruption."""
    pictures, true = moving(40)

    def predict(lightness):
        return np.float32(true[0])[None] * (1 + lightness.mean() / 50)

    whole = list(KeyframeColors(predict, interval=4).of(pictures))
    for behind in (4, 16, 36):
        again = KeyframeColors(predict, interval=4, state=whole[behind - 1].state)
        for one, other in zip(again.of(pictures[behind:]), whole[behind:], strict=True):
            np.testing.assert_array_equal(one.ab, other.ab)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (16, 80), (11, 64), (31, 200), (32, 32)])
def test_films_of_any_size_are_smoothed(size):
    """Sizes at which OpenCV's flow crashes among them; what stands still keeps most of its color."""
    found = mean_colors(KeyframeColors(tints([(20, 0), (-20, 0)]), interval=1), plain(2, size))
    assert found[1, 0] > 10


def test_stages_keep_the_order_and_do_not_run_away():
    """Oracle: the items; the number of those made beyond the used ones."""
    made = []

    def source():
        for item in range(50):
            made.append(item)
            yield item

    used = []
    with ahead(source(), 3) as first, ahead((item * 2 for item in first), 3) as second:
        for item in second:
            time.sleep(0.001)
            used.append(item)
            assert len(made) <= len(used) + 3 + 3 + 3
    assert used == [2 * item for item in range(50)]
    assert all(thread.name != "film" for thread in threading.enumerate())


def test_an_error_in_a_stage_reaches_the_user():
    def source():
        yield 1
        raise ValueError("damaged")

    with (
        pytest.raises(ValueError, match="damaged"),
        ahead(source()) as first,
        ahead(item for item in first) as second,
    ):
        list(second)
    with ahead(itertools.count()) as endless:  # left early: the thread ends
        assert next(endless) == 0
    assert all(thread.name != "film" for thread in threading.enumerate())
