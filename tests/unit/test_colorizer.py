"""Colorizer: shapes, the kept lightness by scikit-image, sizes from 1x1 on, and refusals."""

import cv2
import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.color import rgb2lab
from skimage.transform import resize

from colorization import Colorizer
from colorization.core.errors import InputError
from colorization.inference import composition, graph

TASKS = ("regression", "classification", "transfer")


@pytest.fixture(scope="module")
def colorizers():
    """{task: Colorizer} of the small presets."""
    return {task: Colorizer.from_preset(f"cifar10-{task}") for task in TASKS}


@pytest.fixture(scope="module")
def photograph():
    return (resize(data.astronaut(), (101, 67), anti_aliasing=True) * 255).astype(np.uint8)


def test_the_lightness_of_a_photograph_is_kept(colorizers, photograph):
    """Within 8-bit rounding, by scikit-image's Lab; and there is color."""
    for colorizer in colorizers.values():
        colored = colorizer.colorize(photograph)
        assert colored.shape == photograph.shape
        assert colored.dtype == np.uint8
        assert np.abs(rgb2lab(colored)[..., 0] - rgb2lab(photograph)[..., 0]).max() < 0.8
        assert rgb2lab(colored)[..., 1:].std() > 1


def test_only_the_lightness_of_the_input_counts(colorizers, photograph):
    """A picture and its own colorization have one lightness, so that coloring again changes little."""
    colorizer = colorizers["regression"]
    once = colorizer.colorize(photograph)
    assert np.abs(colorizer.colorize(once).astype(int) - once).mean() < 1.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 9), (33, 31), (200, 3), (64, 64)])
def test_every_size(colorizers, shape):
    gray = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for colorizer in colorizers.values():
        colored = colorizer.colorize(gray)
        assert colored.shape == (*shape, 3)
        np.testing.assert_array_equal(colorizer.colorize(gray[..., None]), colored)
        np.testing.assert_array_equal(colorizer.colorize(np.stack([gray] * 3, -1)), colored)


def test_a_batch_gives_what_its_pictures_give(colorizers, photograph):
    batch = np.stack([photograph, photograph[::-1], photograph[:, ::-1]])
    for colorizer in colorizers.values():
        together = colorizer.colorize(batch)
        for picture, colored in zip(batch, together, strict=True):
            difference = np.abs(colorizer.colorize(picture).astype(int) - colored)
            assert difference.max() <= 1  # convolutions of other batch sizes round otherwise


def test_decodings_and_temperature(colorizers, photograph):
    colorizer = colorizers["classification"]

    def ab(decoding, temperature=0.89):
        return rgb2lab(colorizer.colorize(photograph, decoding=decoding, temperature=temperature))[..., 1:]

    np.testing.assert_array_equal(ab(None), ab("annealed"))
    np.testing.assert_array_equal(ab("annealed", 1), ab("mean"))
    assert (np.abs(ab("annealed", 1e-5) - ab("mode")) > 1).mean() < 0.01  # all but near ties
    assert np.abs(ab("mode") - ab("mean")).max() > 1
    with pytest.raises(InputError, match="Unknown decoding 'median'"):
        colorizer.colorize(photograph, decoding="median")
    with pytest.raises(ValueError, match="at least 0"):
        colorizer.colorize(photograph, temperature=-1)


def test_a_model_of_one_size_sees_the_whole_picture_at_that_size(colorizers, photograph):
    """Oracle: the colors of the picture resized beforehand. Another size is refused."""
    small = cv2.resize(rgb2lab(photograph)[..., 0].astype("float32"), (32, 32), interpolation=cv2.INTER_AREA)
    colorizer = colorizers["transfer"]
    found = colorizer.predict_ab(rgb2lab(photograph)[None, ..., 0].astype("float32"))
    np.testing.assert_allclose(found, colorizer.predict_ab(small[None]), atol=0.01)
    with pytest.raises(InputError, match="sees every picture at 32 x 32: it takes no other working size"):
        Colorizer.from_preset("cifar10-transfer", working_size=48)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=2), st.lists(st.integers(1, 60), min_size=2, max_size=2)
)
def test_resize_is_opencvs(old, new):
    """Oracle: OpenCV, one side after the other: by area where it shrinks, linearly where it grows."""
    planes = np.random.default_rng(0).uniform(-100, 100, (1, *old, 2)).astype("float32")
    expected = planes[0]
    for shape in ((new[0], old[1]), tuple(new)):
        shrinks = shape[0] < expected.shape[0] or shape[1] < expected.shape[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        expected = cv2.resize(expected, shape[::-1], interpolation=how).reshape(*shape, 2)
    np.testing.assert_allclose(np.asarray(graph.resize(planes, new))[0], expected, atol=2e-3)
    np.testing.assert_allclose(composition.resize(planes[0], tuple(new)), expected, atol=2e-3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(8, 512))
def test_the_working_shape_is_near_what_was_asked(colorizers, height, width, working_size):
    """Oracle: multiples of 8, no larger than the picture or the working size but by the rounding."""
    model = colorizers["regression"].model
    found = [int(side) for side in graph.working_shape(model, height, width, working_size)]
    assert composition.working_shape(height, width, working_size) == tuple(found)
    assert all(side % 8 == 0 and side >= 8 for side in found)
    assert min(found) <= max(8, min(height, width, working_size) + 4)
    assert max(found) <= 16 * working_size + 4
    if min(height, width) <= working_size and max(height, width) <= 16 * working_size:
        assert all(
            abs(side - own) <= 4 or side == 8 for side, own in zip(found, (height, width), strict=True)
        )


def test_no_image(colorizers):
    colorizer = colorizers["regression"]
    with pytest.raises(TypeError, match=r"uint8.* float64"):
        colorizer.colorize(np.zeros((4, 4)))
    for shape in ((4,), (4, 4, 2), (0, 4), (2, 4, 4), (1, 2, 4, 4, 3)):
        with pytest.raises(ValueError, match="of shape"):
            colorizer.colorize(np.zeros(shape, np.uint8))


def test_a_failed_weight_load_never_yields_a_picture(old_run, tmp_path):
    def damaged(name):
        run_dir = old_run("regression", name)
        return run_dir, run_dir / "best.weights.h5"

    run_dir, path = damaged("other shape")
    with h5py.File(path, "r+") as file:
        del file["model/block9_conv/kernel"]
        file["model/block9_conv/kernel"] = np.zeros((8, 3), "float32")
    with pytest.raises(
        InputError,
        match=r"block9_conv/kernel has the shape \(1, 1, 8, 3\), but the layer needs \(1, 1, 8, 2\)",
    ):
        Colorizer.load(run_dir)

    run_dir, path = damaged("missing")
    with h5py.File(path, "r+") as file:
        del file["model/block3_conv2/bias"]
    with pytest.raises(InputError, match="block3_conv2/bias is missing"):
        Colorizer.load(run_dir)

    run_dir, path = damaged("other width")
    text = (run_dir / "config.json").read_text()
    assert '"width": 0.03,' in text
    (run_dir / "config.json").write_text(text.replace('"width": 0.03,', '"width": 0.25,'))
    with pytest.raises(InputError, match=r"do not fit the model: .*; and \d+ more"):
        Colorizer.load(run_dir)

    run_dir, path = damaged("cut")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="is not a weights file, or is damaged"):
        Colorizer.load(run_dir)

    run_dir, path = damaged("none")
    path.unlink()
    with pytest.raises(InputError, match="has not finished an epoch"):
        Colorizer.load(run_dir)
    with pytest.raises(InputError, match="is not a run folder"):
        Colorizer.load(tmp_path)
