"""Color hints: exact at their pixels, kept back by edges, and refused in one sentence."""

import json
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.color import lab2rgb, rgb2lab

from colorization.core.errors import InputError
from colorization.inference import hints, propagation
from colorization.inference.canvas import Canvas
from colorization.inference.hints import Hint, HintedPicture
from colorization.inference.rendering import PLAIN, Rendering

PHOTOGRAPH = data.astronaut()[::2, ::2, 1]
GRAY = np.zeros((8, 8, 2), np.float32)
PREDICTION = np.random.default_rng(0).uniform(-15, 15, (12, 16, 2)).astype(np.float32)


def ab(rgb):
    """scikit-image's a and b of a color or a picture."""
    return rgb2lab(np.asarray(rgb, np.uint8))[..., 1:]


def in_gamut(x, y, color):
    """Whether sRGB has the chroma of a color at the lightness of a pixel. Oracle: scikit-image.

    The tolerance is small: along an edge of the gamut, a channel of 255.5 instead of 255 is 12 units of chroma.
    """
    gray = int(PHOTOGRAPH[y, x])
    lab = np.array([rgb2lab(np.full(3, gray, np.uint8))[0], *ab(color)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a color that no light has
        return np.abs(rgb2lab(lab2rgb(lab)) - lab).max() < 0.02


def hinted(pixels, prediction, rendering=PLAIN):
    """HintedPicture with a given prediction."""
    canvas = Canvas(pixels, rendering)
    return HintedPicture(canvas, canvas.lightness(prediction.shape[:2]), prediction)


@pytest.fixture(scope="module", params=["full size", "bilinear", "edges"])
def picture(request):
    """A photograph whose hints spread at its full size, or on a grid of a ninth, enlarged in either way."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "full size":
            return hinted(PHOTOGRAPH, PREDICTION)
        patch.setattr(propagation, "_CELLS", PHOTOGRAPH.size // 9)
        return hinted(PHOTOGRAPH, PREDICTION, Rendering(upsampling=request.param))


def deep(gray):
    """The same picture in 16 bit, which hold ab to a hundredth."""
    return gray.astype(np.uint16) * 257


def deep_ab(rgb):
    return rgb2lab(rgb / 65535)[..., 1:]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 255), min_size=2, max_size=2),
    st.sampled_from(["#a06050", "slategray", "olive", "#604858"]),
)
def test_a_hinted_pixel_has_the_hinted_chroma(picture, place, name):
    """Within 2 units, of the finished 8-bit picture, wherever it is, borders and edges included."""
    hint = hints.parse(f"{place[0]},{place[1]},{name}")
    found = ab(picture.colorize([hint])[hint.y, hint.x])
    if in_gamut(hint.x, hint.y, hint.color):
        assert np.abs(found - ab(hint.color)).max() < 2
    else:
        wanted = ab(hint.color)  # less chroma, the same hue
        assert np.linalg.norm(found) < np.linalg.norm(wanted) + 1


def test_several_hints_hold_at_once(picture):
    given = [
        hints.parse(text) for text in ("0,0,slategray", "1,253,#b0a890", "150,140,#a06050", "200,100,olive")
    ]
    assert all(in_gamut(*hint) for hint in given)
    for order in (given, given[::-1]):
        colored = picture.colorize(order)
        for hint in given:
            assert np.abs(ab(colored[hint.y, hint.x]) - ab(hint.color)).max() < 2


def test_without_hints_nothing_changes(picture):
    """Oracle: the Canvas, which renders pictures without hints."""
    canvas = Canvas(PHOTOGRAPH, picture._canvas.rendering)
    expected = canvas.render(canvas.lightness(PREDICTION.shape[:2]), PREDICTION)
    np.testing.assert_array_equal(picture.colorize(), expected)
    picture.colorize([Hint(9, 9, (200, 0, 0))])
    np.testing.assert_array_equal(picture.colorize([]), expected)


@pytest.mark.parametrize("blurred", [False, True])
def test_a_strong_edge_keeps_a_hint_back(blurred):
    """Two gray halves, also with a transition of three pixels: the hint fills one half, and not the other."""
    gray = np.full((90, 120), 80, np.uint8)
    gray[:, 60:] = 180
    if blurred:
        gray[:, 59:62] = (105, 130, 155)
    gray += np.random.default_rng(0).integers(0, 3, gray.shape, dtype=np.uint8)  # grain
    colored = deep_ab(hinted(deep(gray), GRAY).colorize([Hint(40, 45, (170, 70, 60))]))
    strength = np.linalg.norm(ab((170, 70, 60)))
    assert np.abs(colored[:, 63:]).max() < 1
    change = np.linalg.norm(colored, axis=-1)[:, :58]
    assert change[45, 40] == pytest.approx(strength, abs=1)
    assert change[30:60, 25:57].min() > 0.5 * strength
    assert change[:, 0].max() < 0.6 * strength


def test_a_hint_does_not_fade_beside_its_pixel():
    """With the graph's Laplacian itself in place of its square, a single pixel would stand out."""
    flat = hinted(deep(np.full((80, 80), 120)), GRAY)
    a = deep_ab(flat.colorize([Hint(40, 40, (200, 80, 80))]))[..., 0]
    assert a[40, 44] > 0.9 * a[40, 40]
    assert a[0, 0] < 0.35 * a[40, 40]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_tiny_pictures(shape):
    gray = np.full(shape, 120, np.uint8)
    last = Hint(shape[1] - 1, shape[0] - 1, (150, 110, 110))
    colored = hinted(gray, GRAY, Rendering()).colorize([last])
    assert np.abs(ab(colored[last.y, last.x]) - ab(last.color)).max() < 2


def test_large_and_long_pictures_and_16_bit(monkeypatch):
    """The grid is smaller than the picture; one pixel beside another has a hint of its own."""
    assert all(
        np.prod(propagation.grid_shape(*sides)) <= 2**16 for sides in ((5000, 4000), (9, 90000), (90000, 1))
    )
    monkeypatch.setattr(propagation, "_CELLS", 1000)
    hint = hints.parse("151,143,#a06050")
    colored = hinted(deep(PHOTOGRAPH), PREDICTION, Rendering()).colorize([hint])
    assert colored.dtype == np.uint16
    assert np.abs(deep_ab(colored[hint.y, hint.x]) - ab(hint.color)).max() < 0.5


def test_contradicting_hints(picture):
    """Two colors for one pixel give their mean. Those of neighbors both hold, without wild colors around."""
    colors = [(150, 110, 110), (110, 130, 150)]
    first, second = (ab(color) for color in colors)
    colored = ab(picture.colorize([Hint(100, 150, color) for color in colors]))
    np.testing.assert_allclose(colored[150, 100], (first + second) / 2, atol=1.5)
    flat = hinted(deep(np.full((60, 60), 120)), GRAY)
    colored = deep_ab(flat.colorize([Hint(30 + place, 30, color) for place, color in enumerate(colors)]))
    np.testing.assert_allclose(colored[30, 30:32], [first, second], atol=2)
    assert (colored > np.maximum(np.maximum(first, second), 0) + 1).sum() == 0
    assert (colored < np.minimum(np.minimum(first, second), 0) - 1).sum() == 0


def test_crowded_hints_in_noise(monkeypatch):
    """The worst picture for edges, enlarged from a small grid: each hint holds, and no other color gets wild."""
    monkeypatch.setattr(propagation, "_CELLS", 400)
    generator = np.random.default_rng(0)
    noise = deep(generator.integers(90, 160, (90, 90)))
    colors = [(150, 110, 110), (110, 130, 150), (120, 130, 100)]
    given = [Hint(8 * (each % 10) + 5, 20 * (each // 10) + 9, colors[each % 3]) for each in range(40)]
    colored = deep_ab(hinted(noise, GRAY, Rendering()).colorize(given))
    for hint in given:
        assert np.abs(colored[hint.y, hint.x] - ab(hint.color)).max() < 2
    assert np.linalg.norm(colored, axis=-1).max() < 3 * max(np.linalg.norm(ab(color)) for color in colors)


@pytest.mark.parametrize("value", [0, 255])
def test_borders_count_and_stay_neutral(value):
    """Positions are those of the whole picture; a hint on the border itself is refused."""
    framed = np.pad(PHOTOGRAPH, 30, constant_values=value)
    hint = hints.parse("180,170,#a06050")
    colored = hinted(framed, PREDICTION, Rendering()).colorize([hint])
    assert np.abs(ab(colored[hint.y, hint.x]) - ab(hint.color)).max() < 2
    assert np.ptp(colored[:25].astype(int), axis=-1).max() == 0
    with pytest.raises(InputError, match="at 3,100 is on a uniform border, which stays neutral"):
        hinted(framed, PREDICTION, Rendering()).colorize([Hint(3, 100, (9, 9, 9))])


def test_texts_and_files(tmp_path):
    """Oracle: the same colors by their numbers."""
    assert hints.parse("120,80,#a03030") == Hint(120, 80, (160, 48, 48))
    assert hints.parse(" 0, 7 , RosyBrown ") == Hint(0, 7, (188, 143, 143))
    assert hints.parse("1,2,rgb(3, 4, 5)") == Hint(1, 2, (3, 4, 5))
    entries = [{"x": 120, "y": 80, "color": "#a03030"}, {"x": 0, "y": 7, "color": "rosybrown"}]
    (tmp_path / "hints.json").write_text(json.dumps(entries))
    assert hints.read(tmp_path / "hints.json") == [Hint(120, 80, (160, 48, 48)), Hint(0, 7, (188, 143, 143))]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("120,80", "'120,80' is not a color hint: write X,Y,COLOR, such as 120,80,#a03030."),
        ("a,b,red", "'a,b,red' is not a color hint"),
        ("1.5,2,red", "'1.5,2,red' is not a color hint"),
        (f"{'9' * 5000},2,red", "is not a color hint"),
        ("1,2,redd", "'redd' is not a known color"),
        ("1,2,", "'' is not a known color"),
        ("1,2,#12", "'#12' is not a known color"),
    ],
)
def test_other_texts_are_refused(text, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        hints.parse(text)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not a JSON file"),
        ("\x00", "is not a JSON file"),
        ("[" * 100_000, "is not a JSON file"),
        ("{}", "is not a list of hints"),
        ('[{"x": 1, "y": 2}]', "which is not a hint"),
        ('[{"x": "1", "y": 2, "color": "red"}]', "which is not a hint"),
        ('[{"x": true, "y": 2, "color": "red"}]', "which is not a hint"),
        ('["1,2,red"]', "which is not a hint"),
        ('[{"x": 1, "y": 2, "color": "redd"}]', "'redd' is not a known color"),
    ],
)
def test_other_files_are_refused(tmp_path, content, sentence):
    path = tmp_path / "hints.json"
    path.write_text(content)
    with pytest.raises(InputError, match=sentence):
        hints.read(path)
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read: No such file or directory\."):
        hints.read(tmp_path / "nowhere.json")


@pytest.mark.parametrize("place", ["256,0", "0,256", "-1,5", "5,-1"])
def test_a_hint_outside_is_refused(picture, place):
    with pytest.raises(
        InputError, match=f"at {place} is outside the picture, whose last pixel is at 255,255"
    ):
        picture.colorize([hints.parse(f"{place},red")])
