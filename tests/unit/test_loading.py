"""colorization.load: from a name to a model, without Keras where an ONNX file does."""

import shutil

import numpy as np
import pytest
from skimage import data

import colorization
from colorization import Colorizer, InputError
from colorization.core import color_numpy, image_files
from colorization.core.atomic_io import fingerprint_of
from colorization.inference import composition, loading
from colorization.inference.extras import Extras
from colorization.inference.rendering import PLAIN, Rendering
from colorization.runs import resolve

LARGE, SMALL = data.chelsea()[:80, :100], data.astronaut()[:64:2, :64:2]


def assert_near(found, expected):
    assert (found.shape, found.dtype) == (expected.shape, "uint8")
    assert (np.abs(found.astype(int) - expected) > 1).mean() < 1e-3


def test_a_preset_is_chosen_by_the_size_of_the_picture():
    """Oracle: the two presets, by Keras; a name takes it for all sizes."""
    model, named = colorization.load(), colorization.load("photos")
    for picture, name in ((SMALL, "cifar10-classification"), (LARGE, "photos")):
        assert resolve.default_preset(*picture.shape[:2]) == name
        expected = Colorizer.from_preset(name).colorize(picture, rendering=Rendering())
        assert_near(model.colorize(picture), expected)
        assert_near(colorization.load(name).colorize(picture), expected)
        folder = resolve.preset_folder(name)
        assert model.fingerprint(*picture.shape[:2]) == fingerprint_of(folder)
    assert_near(named.colorize(SMALL), Colorizer.from_preset("photos").colorize(SMALL, rendering=Rendering()))


def test_options_are_the_colorizers():
    """Oracle: Colorizer, in Keras. Between equally likely bins the mode depends on rounding."""
    for decoding, share in (("mean", 1e-3), ("mode", 0.02)):
        expected = Colorizer.from_preset("photos", working_size=40).colorize(
            LARGE, decoding=decoding, rendering=Rendering()
        )
        found = colorization.load("photos", working_size=40, decoding=decoding).colorize(LARGE)
        assert (np.abs(found.astype(int) - expected) > 1).mean() < share
    cold = Colorizer.from_preset("photos").colorize(LARGE, temperature=0.1, rendering=Rendering())
    assert_near(colorization.load("photos", temperature=0.1).colorize(LARGE), cold)
    assert_near(colorization.load("photos").colorize(LARGE, temperature=0.1), cold)
    gray = np.stack([LARGE[..., 0]] * 2)[..., None]
    expected = Colorizer.from_preset("photos").colorize(gray, rendering=Rendering())
    assert_near(colorization.load("photos").colorize(gray), expected)


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        ("nowhere", {}, "nowhere is not a run folder"),
        ("cifar10-judge", {}, "has the task 'judge'"),
        ("cifar10-regression", {"decoding": "mode"}, "Unknown decoding 'mode'"),
        ("cifar10-regression", {"temperature": 0.5}, "The decoding regression does not use a temperature"),
        ("photos", {"decoding": "mode", "temperature": 0.5}, "The decoding mode does not use a temperature"),
        ("photos", {"decoding": "median"}, "Unknown decoding 'median'"),
        ("photos", {"working_size": 0}, "at least 1 pixel"),
        ("cifar10-transfer", {"working_size": 48}, "sees every picture at 32 x 32"),
    ],
)
def test_what_a_model_does_not_take_is_refused_when_it_is_loaded(model, options, sentence):
    with pytest.raises(InputError, match=sentence):
        colorization.load(model, **options)


def test_python_overwrites_no_source_and_makes_at_least_one_sample(tmp_path):
    """Oracle: the bytes of the source. The second sample of photo.png has its name."""
    model = colorization.load("photos")
    source = tmp_path / "photo-2.png"
    image_files.write(source, LARGE)
    before = source.read_bytes()
    with pytest.raises(InputError, match=r"photo-2\.png is the picture to color"):
        model.colorize_file(source, tmp_path / "photo.png", extras=Extras(samples=2))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"photo-2.png": before}
    with pytest.raises(InputError, match="at least 1, not 0"):
        model.samples(LARGE, 0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_preset_needs_no_keras_for_any_option(monkeypatch, dtype):
    """Keras would be started by start_keras. Depth, opacity and batches are those of PictureColorizer."""
    monkeypatch.setattr(loading, "start_keras", lambda: pytest.fail("Keras was started"))
    model = colorization.load("photos", working_size=40, decoding="mode", rendering=PLAIN)
    image = LARGE.astype(dtype) * (257 if dtype == "uint16" else 1)
    alpha = np.full(LARGE.shape[:2], np.iinfo(dtype).max, dtype)
    colored = model.colorize(image, alpha=alpha)
    assert (colored.shape, colored.dtype) == (LARGE.shape, dtype)
    np.testing.assert_array_equal(colored, model.colorize(image))
    lightness = color_numpy.lightness(image)[None]
    ab = model.predict_ab(lightness)
    assert ab.shape == (1, 40, 48, 2)
    np.testing.assert_array_equal(composition.compose(image, ab[0]), colored)
    with pytest.raises(TypeError, match=r"uint8 or uint16.* float64"):
        model.colorize(image / 255)
    with pytest.raises(ValueError, match="at least 0"):
        colorization.load("photos").colorize(image, temperature=-1)


def test_a_folder_of_a_presets_name_does_not_hide_it(old_runs, tmp_path, monkeypatch):
    """Oracle: the preset itself; a run folder of that name comes first."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert resolve.run_folder("photos") == resolve.preset_folder("photos")
    shutil.copytree(old_runs["regression"], tmp_path / "cifar10-regression")
    assert resolve.run_folder("cifar10-regression").resolve() == tmp_path / "cifar10-regression"
    assert resolve.run_folder("nowhere/at/all").as_posix() == "nowhere/at/all"
