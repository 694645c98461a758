"""`colorize image`: names of results, sources that are never overwritten, streams, several at once, exit codes."""

import io
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data
from skimage.color import rgb2lab

import colorization
from colorization.cli import main
from colorization.core.errors import InputError
from colorization.inference import hints, loading, onnx_colorizer, runtimes
from colorization.inference.extras import Extras

MODEL = ("--model", "cifar10-classification")
GRAY = data.camera()[::8, ::8]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(name, **options):
    """A gray picture, in the format of the suffix."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(GRAY).save(path, **options)
    return path


def image(*arguments, model=MODEL):
    """Exit code of `colorize image`."""
    return main.main(["image", *map(str, (*arguments, *model))])


def refused(capsys, *arguments, code=2, model=MODEL):
    assert image(*arguments, model=model) == code
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence.startswith("error: ")
    return sentence


@pytest.mark.parametrize(
    ("sources", "arguments", "results"),
    [
        (["photo.jpg"], ["photo.jpg"], ["photo-colorized.jpg"]),
        (["photo.v2.JPEG"], ["photo.v2.JPEG"], ["photo.v2-colorized.JPEG"]),
        (["album/deep/a.png", "album/b.gif"], ["album"], ["album-colorized/b.png", "album-colorized/deep/a.png"]),
        (["album/deep/a.png"], ["album/."], ["album-colorized/deep/a.png"]),
        (["a.png"], ["a.png", "-o", "new.JPG"], ["new.JPG"]),
        (["a.png"], ["a.png", "-o", "new"], ["new/a.png"]),
        (["a.png", "b.jpg"], ["a.png", "b.jpg", "-o", "new.jpg"], ["new.jpg/a.png", "new.jpg/b.jpg"]),
        (["a/x.gif", "a/x.png", "a/x.jpg"], ["a"], [f"a-colorized/{x}" for x in ("x.gif.png", "x.jpg", "x.png.png")]),
        (["a.bmp"], ["a.bmp"], ["a-colorized.png"]),
        (["a.jp2"], ["a.jp2", "--format", "tiff"], ["a-colorized.tif"]),
        (["a/b.png", "a/c.jpg"], ["a", "--format", "webp", "-o", "."], ["b.webp", "c.webp"]),
    ],
)  # fmt: skip
def test_names(here, capsys, sources, arguments, results):
    """Oracle: the names, written here; Pillow reads each result as color in the format of its suffix."""
    for name in sources:
        save(name)
    before = {path: path.read_bytes() for path in here.rglob("*.*")}
    assert image(*arguments) == 0
    assert sorted(capsys.readouterr().out.split()) == results
    made = {path for path in here.rglob("*.*") if path.is_file()} - set(before)
    assert sorted(path.relative_to(here).as_posix() for path in made) == results
    for path in made:
        with Image.open(path) as found:
            assert found.format == Image.registered_extensions()[path.suffix.lower()]
            assert np.asarray(found.convert("HSV"))[..., 1].mean() > 3
    assert all(path.read_bytes() == content for path, content in before.items())


def test_content_decides_the_format(here, capsys):
    save("a.png").rename("photo.jpg")
    assert image("photo.jpg") == 0
    assert capsys.readouterr().out == "photo-colorized.png\n"


def test_a_source_is_never_overwritten(here, capsys):
    """By its name, a relative one, a symbolic and a hard link; whatever is asked for."""
    save("a.png")
    Path("symbolic.png").symlink_to("a.png")
    os.link("a.png", "hard.png")
    before = (here / "a.png").read_bytes()
    for name in ("a.png", "../" + here.name + "/a.png", "symbolic.png", "hard.png"):
        for option in ("--overwrite", "--resume"):
            assert "is one of the pictures to color" in refused(capsys, "a.png", "-o", name, option)
    assert "is one of the pictures to color" in refused(capsys, "symbolic.png", "-o", "a.png", "--overwrite")
    assert (here / "a.png").read_bytes() == before
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "hard.png", "symbolic.png"]


@pytest.mark.parametrize("arguments", [["-"], ["-", "-o", "-", "--format", "jpeg"], ["a.png", "-o", "-"]])
def test_standard_input_and_output(here, capsysbinary, monkeypatch, arguments):
    """Oracle: the file that the same command writes."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(save("a.png").read_bytes())))
    assert image(*arguments) == 0
    found = capsysbinary.readouterr()
    assert found.err == b""
    suffix = "jpg" if "jpeg" in arguments else "png"
    assert image("a.png", "-o", f"expected.{suffix}") == 0
    assert found.out == (here / f"expected.{suffix}").read_bytes()


def test_damage_is_a_warning_and_nothing_else_is_printed(here, capfd):
    """Oracle: the upper half of the whole file; standard error as the terminal sees it, of C libraries too."""
    save("a.jpg", quality=95)
    content = (here / "a.jpg").read_bytes()
    (here / "cut.jpg").write_bytes(content[: len(content) * 2 // 3])
    (here / "bad.png").write_bytes(save("b.png").read_bytes()[:-30])
    assert image("a.jpg", "cut.jpg", "bad.png") == 0
    told = capfd.readouterr()
    assert sorted(told.out.split()) == ["a-colorized.jpg", "bad-colorized.png", "cut-colorized.jpg"]
    warned = sorted(told.err.strip().splitlines())
    assert [line.partition(":")[0] for line in warned] == ["warning", "warning"]
    assert ["bad.png" in warned[0], "cut.jpg" in warned[1]] == [True, True]
    whole, cut = (np.asarray(Image.open(f"{name}-colorized.jpg").convert("L"), int) for name in ("a", "cut"))
    assert np.abs(whole - cut)[:24].mean() < 3


def test_exit_codes_and_lists(here, capsys):
    """0 with warnings, 1 if some failed, 2 if nothing could be done; left-out files are counted and listed."""
    save("album/a.png")
    (here / "album/letter.txt").write_text("no picture")
    (here / "album/b.png").write_text("no picture")
    assert "b.png cannot be read as an image" in refused(capsys, "album", code=1)
    listed = (here / "album-colorized/skipped-files.txt").read_text()
    assert listed == "cannot be read\talbum/b.png\nnot an image\talbum/letter.txt\n"
    assert "b.png" in refused(capsys, "album/b.png")
    assert "nowhere.png" in refused(capsys, "nowhere.png")
    Path("loop.png").symlink_to("loop.png")
    assert "loop.png" in refused(capsys, "loop.png")
    assert "is not the suffix of a picture" in refused(capsys, "album/a.png", "-o", "new.gif")
    assert "hold one picture" in refused(capsys, "-", "album/a.png")
    assert "--max-pixels" in refused(capsys, "album/a.png", "--max-pixels", 4000)
    (here / "letter").write_text("no directory")
    assert "is not a directory" in refused(capsys, "album", "-o", "letter")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.png", "--format", "tiff", "-o", "new.jpg"], "new.jpg is the name of a JPEG file"),
        (["-", "-o", "album"], "album is a folder: give the name of a picture"),
        (["a.png", "-o", "new.jxl"], ".jxl is not the suffix of a picture to write"),
        (["a.png", "-o", "new.tga"], ".tga is not the suffix of a picture to write"),
        (["/"], "/ has no name for the results"),
        (["a.png", "--hint", "1,1,rgb(300,0,0)"], "has values outside 0 to 255"),
        (["a.png", "--model", "photo"], "`colorize presets` lists the presets"),
    ],
)
def test_names_that_would_surprise_are_refused(here, capsys, arguments, sentence):
    """Oracle: the listing."""
    save("a.png")
    (here / "album").mkdir()
    model = () if "--model" in arguments else MODEL
    assert sentence in refused(capsys, *arguments, model=model)
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "album"]


def test_an_empty_folder_does_not_stop_the_others(here, capsys):
    """Oracle: the listing. A list of names replaces no other file."""
    save("album/a.png")
    (here / "empty").mkdir()
    (here / "album/letter.txt").write_text("no picture")
    (here / "new").mkdir()
    (here / "new/skipped-files.txt").write_text("mine")
    assert "empty holds no images" in refused(capsys, "empty", "album", "-o", "new", code=1)
    assert (here / "new/skipped-files.txt").read_text() == "mine"
    assert sorted(path.name for path in (here / "new").iterdir()) == ["a.png", "skipped-files.txt"]
    assert image("album/a.png", "album") == 0  # the list is beside the results
    assert (here / "album-colorized/skipped-files.txt").exists()


def test_resume_makes_missing_further_pictures_and_keeps_the_others(here):
    """Oracle: the bytes before. A result of other options stays."""
    save("a.png")
    assert image("a.png", "--saturation", 0) == 0
    result, compared = here / "a-colorized.png", here / "a-colorized-compare.png"
    before = result.read_bytes()
    assert image("a.png", "--resume", "--compare") == 0
    assert compared.exists()
    compared.write_bytes(b"mine")
    assert image("a.png", "--resume", "--compare", "--samples", 1) == 0
    assert (here / "a-colorized-1.png").exists()
    assert (result.read_bytes(), compared.read_bytes()) == (before, b"mine")


def test_resume_does_not_take_a_result_for_that_of_a_new_picture(here):
    """Oracle: the size of each result; a.png is the result of a.gif alone until a picture a.png is there."""
    (here / "album").mkdir()
    Image.fromarray(GRAY[:40]).save("album/a.gif")
    assert image("album") == 0
    save("album/a.png")
    assert image("album", "--resume") == 0
    sizes = {
        path.name: np.asarray(Image.open(path)).shape[:2] for path in (here / "album-colorized").iterdir()
    }
    assert sizes == {"a.png": (40, 64), "a.gif.png": (40, 64), "a.png.png": (64, 64)}


def test_pipes_and_closed_streams(here, capsys, monkeypatch):
    """Oracle: the picture of the file itself."""
    os.mkfifo("pipe.png")
    content = save("a.png").read_bytes()
    writer = threading.Thread(target=lambda: Path("pipe.png").write_bytes(content))
    writer.start()
    assert image("pipe.png", "a.png") == 0
    writer.join()
    assert (here / "pipe-colorized.png").read_bytes() == (here / "a-colorized.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", None)
    assert "Standard input is closed" in refused(capsys, "-")


def test_several_at_once_make_what_one_makes(here):
    for number in range(7):
        Image.fromarray(np.roll(GRAY, 9 * number, axis=1)).save(f"{number}.png")
    names = [f"{number}.png" for number in range(7)]
    assert image(*names, "-o", "one", "--jobs", 1) == 0
    assert image(*names, "-o", "four", "--jobs", 4) == 0
    for name in names:
        assert (here / "one" / name).read_bytes() == (here / "four" / name).read_bytes()


def test_depth_pages_resolution_and_opacity_are_kept(here):
    """Oracle: tifffile and scikit-image's Lab, to one level of 16 bit; hidden pixels have no influence."""
    deep = (GRAY.astype(np.uint16) << 8) | GRAY[::-1]
    with tifffile.TiffWriter("scan.tif") as writer:
        for page in (deep, deep[::-1]):
            writer.write(page, photometric="minisblack", resolution=(600, 600), resolutionunit="INCH")
    assert image("scan.tif") == 0
    with tifffile.TiffFile("scan-colorized.tif") as file:
        assert [page.shape for page in file.pages] == [(64, 64, 3)] * 2
        assert file.pages[0].tags["XResolution"].value == (600, 1)
        for page, expected in zip(file.pages, (deep, deep[::-1]), strict=True):
            lightness = rgb2lab(page.asarray() / 65535)[..., 0]
            expected = rgb2lab(np.stack([expected] * 3, -1) / 65535)[..., 0]
            assert np.abs(lightness - expected).max() < 100 / 65535
    alpha = np.full_like(GRAY, 255)
    alpha[16:40] = 0
    alpha[:10] = 0  # like a border
    for name, hidden in (("noise.png", GRAY[::-1, ::-1]), ("black.png", 0)):
        shown = np.where(alpha == 0, hidden, GRAY).astype(np.uint8)
        Image.merge("LA", [Image.fromarray(plane) for plane in (shown, alpha)]).save(name)
    assert image("noise.png", "black.png") == 0
    noise, black = (np.asarray(Image.open(f"{name}-colorized.png")) for name in ("noise", "black"))
    assert noise.shape == (64, 64, 4)
    np.testing.assert_array_equal(noise[..., 3], alpha)
    np.testing.assert_array_equal(noise[alpha > 0], black[alpha > 0])


def test_python_takes_a_path(here):
    """Oracle: the array of the same picture."""
    model = colorization.load("cifar10-classification")
    np.testing.assert_array_equal(model.colorize(save("a.png")), model.colorize(GRAY))
    assert model.colorize_file("a.png", "new/b.png") == []
    np.testing.assert_array_equal(np.asarray(Image.open("new/b.png")), model.colorize(GRAY))
    with pytest.raises(InputError, match="is the picture to color"):
        model.colorize_file("a.png", "a.png")


def test_before_and_after(here, capsys):
    """Oracle: the source and the result; a source of this name is not overwritten."""
    save("a.png")
    assert image("a.png", "-o", "new.png", "--compare", "--saturation", 1.5) == 0
    both = np.asarray(Image.open("new-compare.png"))
    np.testing.assert_array_equal(both[:, :64], np.stack([GRAY] * 3, -1))
    np.testing.assert_array_equal(both[:, 64:], np.asarray(Image.open("new.png")))
    assert "new-compare.png already exists" in refused(capsys, "a.png", "-o", "new.png", "--compare")
    save("b-compare.png")
    assert "is one of the pictures" in refused(capsys, "b-compare.png", "-o", "b.png", "--compare")
    assert "holds one picture" in refused(capsys, "a.png", "-o", "-", "--compare")
    assert "The saturation is 0 to 2" in refused(capsys, "a.png", "-o", "c.png", "--saturation", 3)


def test_further_pictures(here, capsys):
    """Oracle: the same in Python. Each has a name of its own, in folders too; an older one is not overwritten."""
    save("album/deep/a.png")
    assert image("album", "-o", "new", "--confidence", "--samples", 2, "--compare") == 0
    made = sorted(path.name for path in (here / "new/deep").iterdir())
    assert made == ["a-1.png", "a-2.png", "a-compare.png", "a-confidence.png", "a.png"]
    model = colorization.load("cifar10-classification")
    for number, sample in enumerate(model.samples("album/deep/a.png", 2), start=1):
        np.testing.assert_array_equal(np.asarray(Image.open(f"new/deep/a-{number}.png")), sample)
    drawn = np.asarray(Image.open("new/deep/a-confidence.png"))
    np.testing.assert_array_equal(drawn, model.confidence(GRAY))
    assert model.colorize_file("album/deep/a.png", "b.jpg", extras=Extras(confidence=True, samples=1)) == []
    assert {path.name for path in here.glob("b*")} == {"b.jpg", "b-1.jpg", "b-confidence.png"}
    assert "b-1.jpg already exists" in refused(capsys, "album/deep/a.png", "-o", "b.jpg", "--samples", 1)
    assert "Standard output holds one picture" in refused(
        capsys, "album/deep/a.png", "-o", "-", "--samples", 1
    )


def test_color_hints(here, capsys):
    """Oracle: scikit-image's Lab of the hinted pixels, and the same in Python."""
    save("a.png")
    Path("hints.json").write_text('[{"x": 50, "y": 9, "color": "rosybrown"}]')
    assert image("a.png", "-o", "b.png", "--hint", "9,50,#605850", "--hints", "hints.json") == 0
    found = np.asarray(Image.open("b.png"))
    for (y, x), color in {(50, 9): (0x60, 0x58, 0x50), (9, 50): (188, 143, 143)}.items():
        wanted, lab = rgb2lab(np.array(color, np.uint8)), rgb2lab(found[y, x])
        assert np.abs(lab - wanted)[1:].max() < 2
    given = [hints.parse("9,50,#605850"), *hints.read("hints.json")]
    model = colorization.load("cifar10-classification")
    np.testing.assert_array_equal(model.colorize("a.png", hints=given), found)
    assert model.colorize_file("a.png", "c.png", hints=given) == []
    assert Path("c.png").read_bytes() == Path("b.png").read_bytes()
    save("d.png")
    assert "Color hints are for one picture" in refused(
        capsys, "a.png", "d.png", "-o", "e", "--hint", "1,1,red"
    )
    assert "outside the picture, whose last pixel is at 63,63" in refused(
        capsys, "a.png", "--hint", "64,1,red"
    )
    assert "'rad' is not a known color" in refused(capsys, "a.png", "--hint", "6,1,rad")
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "b.png", "c.png", "d.png", "hints.json"]


def test_a_picture_that_needs_too_much_memory_does_not_stop_the_others(here, capsys, monkeypatch):
    """The errors of ONNX Runtime, TensorFlow and Python, for one of two pictures."""
    save("a.png")
    save("b.png")
    predict = onnx_colorizer.OnnxColorizer._run
    resource_exhausted = type("ResourceExhaustedError", (Exception,), {})
    for number, error in enumerate((resource_exhausted(), MemoryError())):
        calls = iter([error, None])

        def scarce(*given, calls=calls):
            if (error := next(calls)) is not None:
                raise error
            return predict(*given)

        monkeypatch.setattr(onnx_colorizer.OnnxColorizer, "_run", scarce)
        sentence = refused(capsys, "a.png", "b.png", "-o", f"out{number}", "--jobs", 1, code=1)
        assert (
            "a.png needs more memory than there is: use fewer --jobs or a smaller --working-size" in sentence
        )
        assert [path.name for path in (here / f"out{number}").iterdir()] == ["b.png"]
    monkeypatch.setattr(onnx_colorizer.OnnxColorizer, "_run", predict)
    session = loading.load("photos")._first._session

    def allocate(*given):
        raise RuntimeError("Failed to allocate memory\nmore")

    monkeypatch.setattr(type(session), "run", allocate)
    sentence = refused(capsys, "a.png", "-o", "c.png", model=("--model", "photos"))
    assert "(Failed to allocate memory): use a smaller --working-size" in sentence


def test_models_without_a_distribution_are_refused_before_the_work(here, capsys, monkeypatch):
    """A regression takes hints; a complete exported colorizer takes none of these options."""
    save("a.png")
    regression = ("--model", "cifar10-regression")
    for option in (("--samples", 1), ("--confidence",)):
        assert "predicts one color for each pixel" in refused(capsys, "a.png", *option, model=regression)
    assert image("a.png", "--hint", "9,9,rosybrown", "-o", "hinted.png", model=regression) == 0
    exported = runtimes.Exported(lambda batch, given: batch, None, True, Path("complete.onnx"))
    monkeypatch.setattr(loading, "_load", lambda path, working_size: exported)
    for option in (("--samples", 1), ("--confidence",), ("--hint", "9,9,red")):
        assert "is a complete colorizer" in refused(capsys, "a.png", *option)
    assert "leave --upsampling out" in refused(capsys, "a.png", "--upsampling", "edges")
    assert "does not accept options of rendering" in refused(capsys, "a.png", "--upsampling", "bilinear")
    assert {path.name for path in here.glob("*.png")} == {"a.png", "hinted.png"}
