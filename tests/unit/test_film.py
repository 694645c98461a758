"""Films: every frame once, at its time, with its lightness and in color; interruptions; the command."""

import dataclasses
import errno
import gc
import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage import data
from skimage.color import rgb2lab
from support.films import make, pictures, read, tinted, turned

from colorization.cli import main
from colorization.core import image_files
from colorization.core.errors import InputError
from colorization.inference import composition
from colorization.inference.canvas import Canvas
from colorization.inference.films import film, film_parts, film_preview
from colorization.inference.films.film import Settings
from colorization.inference.rendering import PLAIN

EVERY_FRAME = Settings(interval=1, smooth=False)
FOLDERS = [Path(__file__).parents[1], Path(film.__file__).parents[3]]
ENVIRONMENT = {"PYTHONPATH": ":".join(map(str, FOLDERS)), "PATH": ""}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(film_parts, "FRAMES", 8)


def silent(sentence):
    raise AssertionError(sentence)


def lab_difference(found, rgb):
    """Mean differences of L and of ab between a colored picture and `tinted` of the picture."""
    expected = rgb2lab(rgb)
    ab = cv2.resize(tinted(expected[None, ..., 0])[0], rgb.shape[1::-1])
    lab = rgb2lab(found)
    return np.abs(lab[..., 0] - expected[..., 0]).mean(), np.abs(lab[..., 1:] - ab).mean()


@pytest.mark.parametrize("suffix", film.SUFFIXES)
@pytest.mark.parametrize("sound", [True, False])
def test_every_frame_comes_at_its_time(tmp_path, suffix, sound):
    """Oracle: the pictures and times that the film is made of here, one pause and one haste among them."""
    shown = pictures(21, 64, 96)
    times = [0, *range(2, 14), *range(30, 38)]
    source, target = make(tmp_path / "in.mp4", shown, times, sound), tmp_path / f"out{suffix}"
    film.color(source, target, tinted, "", tell=silent)
    (before, _, voice), (after, found, heard) = read(source), read(target)
    np.testing.assert_allclose(after, before, atol=0.001)  # Matroska counts milliseconds
    for picture, rgb in zip(found, shown, strict=True):
        lightness, ab = lab_difference(picture, rgb)
        assert lightness < 1.5
        assert ab < 6  # another matrix, range or order of channels would be off by far more
    assert heard == voice
    assert bool(heard) == sound
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", target.name]


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(24000, 1001), Fraction(10), None])
def test_a_film_has_the_rate_of_its_source(tmp_path, rate):
    """Oracles: the rate of the source, in PyAV's and OpenCV's reading; its times. None is a variable rate."""
    times = None if rate else [0, 1, 2, 5, 6, 10, 17, 18, 19, 30, 31, 32]
    source = make(tmp_path / "in.mp4", pictures(12, 48, 64), times, rate=rate or Fraction(60))
    target = tmp_path / "out.mkv"
    film.color(source, target, tinted, "", tell=silent)
    with av.open(str(source)) as before, av.open(str(target)) as after:
        expected = before.streams.video[0].average_rate
        assert float(after.streams.video[0].average_rate) == pytest.approx(float(expected), rel=1e-6)
        assert float(after.streams.video[0].codec_context.framerate) == pytest.approx(
            float(expected), rel=1e-6
        )
    assert expected == rate or not rate
    shown = cv2.VideoCapture(str(target))
    assert shown.get(cv2.CAP_PROP_FPS) == pytest.approx(float(expected), rel=1e-6)
    shown.release()
    np.testing.assert_allclose(read(target)[0], read(source)[0], atol=0.001)


def test_each_frame_is_rendered_as_a_photograph_is(tmp_path):
    """Oracle: Canvas, which renders photographs; its options are seen in the mean chroma and at edges."""
    shown = pictures(3, 288, 432)
    source = make(tmp_path / "in.mkv", shown, sound=False)
    halves = np.full((1, 8, 12, 2), 30, np.float32)
    halves[:, :, 6:] = -30
    ab = composition.resize(halves[0], (144, 216))  # at which colors are carried
    found = []
    for rendering in (PLAIN, PLAIN._replace(upsampling="edges", saturation=0.5)):
        target, settings = tmp_path / "out.mkv", dataclasses.replace(EVERY_FRAME, rendering=rendering)
        film.color(source, target, lambda lightness: halves, "", settings)
        found.append(read(target)[1])
        for picture, rgb in zip(found[-1], shown, strict=True):
            canvas = Canvas(rgb, rendering)
            expected = canvas.render(canvas.lightness((144, 216)), ab)
            assert np.abs(rgb2lab(picture) - rgb2lab(expected)).mean() < 2
    assert np.abs(rgb2lab(found[0][0]) - rgb2lab(found[1][0])).mean() > 5
    assert main.main(["film", str(source), "-o", str(target), "--overwrite", "--saturation", "3"]) == 2


def test_odd_sizes_get_one_more_row_and_column(tmp_path):
    """Oracle: the last row and column of the picture; every player knows 4:2:0."""
    shown, told = pictures(3, 63, 97), []
    source, target = make(tmp_path / "in.mkv", shown, sound=False), tmp_path / "out.mp4"
    film.color(source, target, tinted, "", tell=told.append)
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width, stream.pix_fmt) == (64, 98, "yuv420p")
    for picture, rgb in zip(read(target)[1], shown, strict=True):
        assert lab_difference(picture[:63, :97], rgb)[0] < 1.5
        gray = rgb2lab(picture)[..., 0]
        assert np.abs(gray[63] - gray[62]).mean() < 3
        assert np.abs(gray[:, 97] - gray[:, 96]).mean() < 3
    assert len(told) == 1
    assert "odd size 97 x 63" in told[0]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_is_done(tmp_path, degrees):
    """Oracle: NumPy's rotation, counterclockwise as H.264's."""
    shown = pictures(3, 64, 96)
    straight, target = make(tmp_path / "straight.mp4", shown, sound=False), tmp_path / "out.mp4"
    source = turned(straight, tmp_path / "in.mp4", degrees)
    film.color(source, target, tinted, "", EVERY_FRAME)
    for picture, rgb in zip(read(target)[1], shown, strict=True):
        assert lab_difference(picture, np.rot90(rgb, degrees // 90))[0] < 1.5


def test_ten_bits_stay_ten_bits(tmp_path):
    """Oracle: the luma of a ramp that 8 bits cannot hold; gray colors keep it."""
    ramp = np.tile(np.linspace(400, 463, 64, dtype=np.uint16), (48, 1))
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    with av.open(str(source), "w") as output:
        video = output.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "gray10le"
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(ramp, "gray10le")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    film.color(source, target, lambda lightness: np.zeros((*lightness.shape, 2), np.float32), "")
    with av.open(str(target)) as container, av.open(str(source)) as original:
        frames = list(container.decode(video=0))
        rgb = next(original.decode(video=0)).to_ndarray(format="rgb48le")
        assert frames[0].format.name == "yuv420p10le"
        assert len(frames) == 3
        found = frames[1].to_ndarray(format="rgb48le").astype(int)
    assert len(np.unique(found[24, :, 0])) > 40  # 16 levels of 8 bits
    assert np.abs(found - rgb).mean() < 65535 / 1023


def test_a_film_of_one_frame_keeps_its_duration(tmp_path):
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    with av.open(str(source), "w") as output:
        video = output.add_stream("mpeg4", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(pictures(1, 48, 64)[0], "rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        for packet in [*video.encode(frame), *video.encode(None)]:
            packet.duration = round(3 / packet.time_base)
            output.mux(packet)
    film.color(source, target, tinted, "")
    with av.open(str(source)) as before, av.open(str(target)) as after:
        assert before.duration == 3_000_000
        assert after.duration == pytest.approx(before.duration, abs=1000)


def test_start_and_end_choose_a_part(tmp_path):
    """Oracle: the pictures of that part, with times from zero on."""
    shown = pictures(40, 48, 64)
    source, target = make(tmp_path / "in.mp4", shown, rate=Fraction(10)), tmp_path / "out.mkv"
    film.color(source, target, tinted, "", Settings(start=0.95, end=2.5))
    times, found, sound = read(target)
    assert len(found) == 15
    np.testing.assert_allclose(np.diff(times), 0.1, atol=0.002)
    for picture, rgb in zip(found, shown[10:25], strict=True):
        assert lab_difference(picture, rgb)[0] < 1.5
    assert 0 < len(sound) < len(read(source)[2])
    with av.open(str(target)) as container:
        assert container.duration / 1e6 == pytest.approx(1.55, abs=0.06)
    with pytest.raises(InputError, match="has no"):
        film.color(source, tmp_path / "none.mkv", tinted, "", Settings(start=50, end=60))
    assert not (tmp_path / "none.mkv").exists()


def test_frames_in_a_folder_are_a_film(tmp_path):
    """Oracle: the pictures, in order of their numbers; the damaged one shows the one before."""
    shown = pictures(12, 48, 64)
    (tmp_path / "scan").mkdir()
    for number, rgb in enumerate(shown):
        image_files.write(tmp_path / "scan" / f"f{number}.png", rgb)
    (tmp_path / "scan" / "f5.png").write_bytes(b"damaged")
    (tmp_path / "scan" / "notes.txt").write_text("no frame")
    (tmp_path / "scan" / "._f0.png").write_bytes(b"information of a Mac")
    expected = [*shown[:5], shown[4], *shown[6:]]
    settings, told = Settings(fps=Fraction(12)), []
    for source in (tmp_path / "scan", tmp_path / "scan" / "f%d.png", tmp_path / "scan" / "*.png"):
        target = tmp_path / "out.mkv"
        film.color(source, target, tinted, "", settings, tell=told.append)
        times, found, _ = read(target)
        np.testing.assert_allclose(times, np.arange(12) / 12, atol=0.001)
        with av.open(str(target)) as container:
            assert container.streams.video[0].average_rate == 12
        for picture, rgb in zip(found, expected, strict=True):
            assert lab_difference(picture, rgb)[0] < 1.5
        assert "1 frames that cannot be read (f5.png)" in told[-1]
        gc.collect()  # PyAV crashed here after a look at the EXIF data of frames
    with pytest.raises(InputError, match="with --fps"):
        film.color(tmp_path / "scan", target, tinted, "")
    for use in (film.size, lambda *given: film.color(given[0], target, tinted, "", given[1])):
        with pytest.raises(InputError, match="scan has no frames in this part"):
            use(tmp_path / "scan", Settings(fps=Fraction(12), start=60))
    assert film.default_target(tmp_path / "scan" / "f%d.png") == tmp_path / "scan-colorized.mkv"


def test_frames_beside_their_film_continue(tmp_path):
    """The folder of the frames changes by the parts of the film; the frames do not. Oracle: the predictions."""
    for number, rgb in enumerate(pictures(24, 48, 64)):
        image_files.write(tmp_path / f"{number}.png", rgb)
    settings, predicted = Settings(fps=Fraction(24), interval=4), []

    def counted(lightness):
        predicted.append(1)
        if len(predicted) == 5:
            raise KeyboardInterrupt
        return tinted(lightness)

    with pytest.raises(KeyboardInterrupt):
        film.color(tmp_path, tmp_path / "out.mkv", counted, "", settings)
    film.color(tmp_path, tmp_path / "out.mkv", counted, "", settings)
    assert len(predicted) == 5 + 5
    assert len(read(tmp_path / "out.mkv")[1]) == 24


def test_frames_of_sixteen_bits_give_ten_bits(tmp_path):
    """TIFF files; oracle: the bit depth, and the lightness."""
    shown = pictures(4, 48, 64)
    for number, rgb in enumerate(shown):
        cv2.imwrite(str(tmp_path / f"{number}.tif"), rgb[..., ::-1].astype(np.uint16) * 257)
    film.color(tmp_path / "%d.tif", tmp_path / "out.mkv", tinted, "", Settings(fps=Fraction(24)), tell=silent)
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p10le"
    for picture, rgb in zip(read(tmp_path / "out.mkv")[1], shown, strict=True):
        assert lab_difference(picture, rgb)[0] < 1.5


def test_a_preview_shows_five_frames(tmp_path):
    """Oracle: the frames in the middle of each fifth of the film."""
    shown = pictures(50, 48, 64)
    source, target = make(tmp_path / "in.mp4", shown, rate=Fraction(10)), tmp_path / "preview.png"
    film_preview.preview(source, target, tinted)
    found = image_files.read(target)
    assert found.shape == (48, 5 * 64, 3)
    for number, picture in enumerate(np.split(found, 5, axis=1)):
        assert lab_difference(picture, shown[5 + 10 * number])[0] < 1.5


def test_an_interrupted_film_continues(tmp_path, monkeypatch):
    """Oracle: the frames and the film of a call that is not interrupted; the number of predictions.

    x264 writes other bytes for the same frames about once in a thousand times.
    """
    source, target = make(tmp_path / "in.mp4", pictures(30, 64, 96)), tmp_path / "out.mp4"
    settings, predicted, encoded, noting = Settings(interval=4), [], {}, film_parts._noting

    def noted(shown, times):
        for rgb in noting(shown, times):
            encoded[times[-1]] = rgb
            yield rgb

    monkeypatch.setattr(film_parts, "_noting", noted)

    def interrupted(lightness):
        if len(predicted) == 5:
            raise KeyboardInterrupt
        return counted(lightness)

    def counted(lightness):
        predicted.append(len(lightness))
        return tinted(lightness) * np.float32(1 + lightness.mean() / 100)

    with pytest.raises(KeyboardInterrupt):
        film.color(source, target, interrupted, "this", settings)
    assert not target.exists()
    predicted.clear()
    film.color(source, target, counted, "this", settings)
    assert sum(predicted) == 9 - 4
    continued = dict(encoded)
    encoded.clear()
    film.color(source, tmp_path / "whole.mp4", counted, "this", settings)
    assert list(continued) == list(encoded)
    np.testing.assert_array_equal(list(continued.values()), list(encoded.values()))
    (times, shown, sound), (expected_times, expected, expected_sound) = map(
        read, (target, tmp_path / "whole.mp4")
    )
    np.testing.assert_array_equal(times, expected_times)
    assert sound == expected_sound
    assert np.abs(np.subtract(shown, expected, dtype=float)).mean() < 0.5
    predicted.clear()
    with pytest.raises(KeyboardInterrupt):
        film.color(source, tmp_path / "other.mp4", interrupted, "this", settings)
    predicted.clear()
    film.color(source, tmp_path / "other.mp4", counted, "another model", settings)
    assert sum(predicted) == 9
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.mp4", "whole.mp4", "other.mp4"}


def test_parts_of_an_earlier_version_are_made_anew(tmp_path):
    """It took 25 frames per second for the parts of every film. Oracle: the predictions, and the rate."""
    source, target = make(tmp_path / "in.mp4", pictures(24, 48, 64), rate=Fraction(10)), tmp_path / "out.mkv"
    settings, predicted = Settings(interval=4), []

    def counted(lightness):
        predicted.append(1)
        if len(predicted) == 5:
            raise KeyboardInterrupt
        return tinted(lightness)

    with pytest.raises(KeyboardInterrupt):
        film.color(source, target, counted, "this", settings)
    origin = [*film._origin(source), "this", str(settings), film_parts.FRAMES, film_parts._X264]
    earlier = hashlib.sha256(json.dumps(origin).encode()).hexdigest()
    (tmp_path / ".out.mkv.parts" / "origin").write_text(earlier)
    film.color(source, target, counted, "this", settings)
    assert len(predicted) == 5 + 7
    with av.open(str(target)) as container:
        assert container.streams.video[0].average_rate == 10
    assert len(read(target)[1]) == 24


SLOW = """
import sys, time
from pathlib import Path
from support.films import tinted
from colorization.inference import composition
from colorization.inference.canvas import Canvas
from colorization.inference.films import film, film_parts, film_preview

film_parts.FRAMES = 8

def slow(lightness):
    time.sleep(0.05)
    return tinted(lightness)

film.color(sys.argv[1], sys.argv[2], slow, "", film.Settings(interval=2))
"""


def test_a_film_that_is_killed_at_any_moment_continues(tmp_path):
    """Oracle: an uninterrupted film, frame by frame."""
    source, target = make(tmp_path / "in.mkv", pictures(60, 48, 64)), tmp_path / "out.mkv"
    command = [sys.executable, "-c", textwrap.dedent(SLOW), str(source), str(target)]
    parts = tmp_path / ".out.mkv.parts"
    rng, kills = np.random.default_rng(0), 0
    for _ in range(5):
        before = len(list(parts.glob("*.npy")))
        process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        while len(list(parts.glob("*.npy"))) == before and process.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        assert not target.exists() or kills < 5
    assert kills == 5
    assert parts.exists()
    subprocess.run(command, env=ENVIRONMENT, check=True, stderr=subprocess.DEVNULL)
    film.color(source, tmp_path / "whole.mkv", tinted, "", Settings(interval=2))
    for one, other in zip(read(target), read(tmp_path / "whole.mkv"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mkv", "whole.mkv"]


WAITING = """
import sys
from support.films import tinted
from colorization.inference.films import film, film_parts

film_parts.FRAMES = 8

def waiting(lightness):
    print("a prediction", flush=True)
    sys.stdin.readline()
    return tinted(lightness)

film.color(sys.argv[1], sys.argv[2], waiting, "", film.Settings(interval=4))
"""


@pytest.mark.parametrize("killed", [False, True])
def test_two_processes_do_not_make_the_same_film(tmp_path, capsys, killed):
    """Oracles: the film of the first process, its parts, and the exit code of the second.

    A killed process keeps no lock.
    """
    source, target = make(tmp_path / "in.mkv", pictures(24, 48, 64)), tmp_path / "out.mkv"
    parts = tmp_path / ".out.mkv.parts"
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, str(source), str(target)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(4):  # predictions, which are those of the first part and the beginning of the second
            process.stdout.readline()
            process.stdin.write("\n")
            process.stdin.flush()
        while not list(parts.glob("0*.mkv")) and process.poll() is None:
            time.sleep(0.005)
        before = sorted(parts.glob("0*"))
        assert main.main(["film", str(source), "-o", str(target), "--keyframes", "4"]) == 2
        assert "out.mkv is already being colored by another process" in capsys.readouterr().err
        assert sorted(parts.glob("0*")) == before != []
        if killed:
            process.kill()
        process.communicate()
    assert process.returncode == (-signal.SIGKILL if killed else 0)
    if killed:
        film.color(source, target, tinted, "", Settings(interval=4), tell=silent)
    assert len(read(target)[1]) == 24
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mkv"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_folder_without_file_locks_takes_one_process_too(tmp_path, monkeypatch, number):
    """Network folders, in which flock fails. Oracle: the listing, and the film of the first call."""
    fcntl = pytest.importorskip("fcntl")

    def flock(*_):
        raise OSError(number, "no locks")

    source, target, told = make(tmp_path / "in.mkv", pictures(3, 48, 64)), tmp_path / "out.mkv", []

    def nested(lightness):
        with pytest.raises(InputError) as caught:
            film.color(source, target, tinted, "")
        told.append(str(caught.value))
        return tinted(lightness)

    monkeypatch.setattr(fcntl, "flock", flock)
    film.color(source, target, nested, "", tell=silent)
    assert "out.mkv is already being colored by another process" in told[0]
    assert len(read(target)[1]) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mkv"]


def test_memory_does_not_grow_with_the_film(tmp_path):
    """The number of pictures that are decoded and not yet encoded is the same in a film three times as long."""
    waiting = []

    def most_waiting(count):
        alive, most = set(), [0]
        source = make(tmp_path / f"{count}.mkv", pictures(count, 48, 64), sound=False)
        original = film.film_frames.pictures

        def counted(*arguments, **options):
            for picture in original(*arguments, **options):
                alive.add(picture.time)
                most[0] = max(most[0], len(alive))
                yield picture

        def encoded(rgb):
            alive.discard(min(alive))
            return rgb

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(film.film_frames, "pictures", counted)
            patch.setattr(film_parts, "_even", encoded)
            film.color(source, tmp_path / f"{count}-out.mkv", tinted, "", Settings(interval=4))
        return most[0]

    waiting = [most_waiting(count) for count in (30, 90)]
    assert max(waiting) <= 20


def test_the_command(tmp_path, capsys):
    """Oracle: the lightness of the source; the preset gives color."""
    shown = pictures(4, 64, 96)
    source, target = make(tmp_path / "in.mp4", shown), tmp_path / "in-colorized.mkv"
    assert main.main(["film", str(source)]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    for picture, rgb in zip(read(target)[1], shown, strict=True):
        assert np.abs(rgb2lab(picture)[..., 0] - rgb2lab(rgb)[..., 0]).mean() < 1.5
        assert np.ptp(picture.astype(int), axis=-1).mean() > 5
    assert main.main(["film", str(source)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main.main(["film", str(source), "--overwrite", "--no-smoothing"]) == 0
    stamp = target.stat().st_mtime_ns
    assert main.main(["film", str(source), "--resume"]) == 0
    assert target.stat().st_mtime_ns == stamp
    assert main.main(["film", str(source), "--preview", "--start", "0:00.05"]) == 0
    assert (tmp_path / "in-preview.png").exists()
    assert main.main(["film", str(source), "--start", "9", "--end", "0:02"]) == 2
    assert "--end lies before --start" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main.main(["film", str(source), "--end", "2:3:4:5"])


def test_the_source_is_never_overwritten(tmp_path, capsys, monkeypatch):
    source = make(tmp_path / "in.mp4", pictures(2, 64, 96))
    before = source.read_bytes()
    (tmp_path / "link.mp4").symlink_to(source)
    (tmp_path / "hard.mp4").hardlink_to(source)
    monkeypatch.chdir(tmp_path)
    for name in ("in.mp4", "link.mp4", "hard.mp4"):
        for more in ([], ["--preview"]):
            assert main.main(["film", str(source), "-o", name, "--overwrite", *more]) == 2
            assert f"{name} belongs to the film to color" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_frames_are_never_overwritten(tmp_path, capsys):
    for number, rgb in enumerate(pictures(3, 64, 96)):
        image_files.write(tmp_path / "frames" / f"{number}.png", rgb)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    target = ["-o", str(tmp_path / "frames" / "1.png"), "--overwrite"]
    assert main.main(["film", str(tmp_path / "frames"), "--fps", "24", "--preview", *target]) == 2
    assert "1.png belongs to the film to color" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def test_names_that_look_like_protocols(tmp_path, monkeypatch):
    """Oracle: the listing. FFmpeg takes "2001:" as a protocol."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "2001: in.mkv", pictures(10, 64, 96))
    film.color("2001: in.mkv", "http: out.mkv", tinted, "", tell=silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2001: in.mkv", "http: out.mkv"]
    assert len(read(tmp_path / "http: out.mkv")[0]) == 10


def test_a_preview_of_one_frame(tmp_path):
    """Oracle: the size of one frame: no other one follows its moment."""
    source = make(tmp_path / "in.mkv", pictures(1, 64, 96), sound=False)
    film_preview.preview(source, tmp_path / "preview.png", tinted, Settings())
    assert image_files.read(tmp_path / "preview.png").shape == (64, 96, 3)


def test_animated_pictures_are_films_and_still_ones_are_not(tmp_path, capsys):
    """Oracle: the number of frames; PNG and JPEG, AVIF and HEIC."""
    shown = [Image.fromarray(rgb) for rgb in pictures(6, 64, 96)]
    shown[0].save(tmp_path / "moving.avif", save_all=True, append_images=shown[1:])
    film.color(tmp_path / "moving.avif", tmp_path / "out.mkv", tinted, "", tell=silent)
    assert len(read(tmp_path / "out.mkv")[0]) == 6
    pillow_heif.register_heif_opener()
    for name in ("still.avif", "still.heic", "still.jpg", "still.png"):
        shown[0].save(tmp_path / name)
        assert main.main(["film", str(tmp_path / name)]) == 2
        assert f"{name} is not a film: color pictures with `colorize image`" in capsys.readouterr().err


def test_what_is_no_film_gets_one_sentence(tmp_path, capsys):
    image_files.write(tmp_path / "picture.png", data.coffee())
    (tmp_path / "text.mp4").write_text("no film")
    whole = make(tmp_path / "whole.mkv", pictures(30, 64, 96)).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[:200])
    (tmp_path / "empty").mkdir()
    there = sorted(tmp_path.iterdir())
    for name, sentence in (
        ("picture.png", "is not a film: color pictures with `colorize image`"),
        ("text.mp4", "cannot be read as a film"),
        ("cut.mkv", "cannot be read as a film"),
        ("nowhere.mp4", "nowhere.mp4 is not found"),
        ("empty", "give their number per second with --fps"),
    ):
        assert main.main(["film", str(tmp_path / name), "-o", str(tmp_path / "out.mp4")]) == 2
        assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert main.main(["film", str(tmp_path / "empty"), "--fps", "24"]) == 2
    assert "holds no frames" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main.main(["film", str(tmp_path / "empty"), "--fps", "1e-9"])
    assert "is not a frame rate" in capsys.readouterr().err
    neighbor = tmp_path.with_name(f"{tmp_path.name}-colorized.mkv")  # of a pattern in this folder
    neighbor.write_bytes(b"another film")
    assert main.main(["film", str(tmp_path / "nowhere.mp4"), "--resume"]) == 2
    assert "nowhere.mp4 is not found" in capsys.readouterr().err
    neighbor.unlink()
    assert main.main(["film", str(tmp_path / "whole.mkv"), "-o", str(tmp_path / "out.avi")]) == 2
    assert "the name of a film ends in .mp4, .mkv, .mov" in capsys.readouterr().err
    (tmp_path / "folder.mkv").mkdir()
    assert (
        main.main(["film", str(tmp_path / "whole.mkv"), "-o", str(tmp_path / "folder.mkv"), "--overwrite"])
        == 2
    )
    assert "folder.mkv is a folder" in capsys.readouterr().err
    (tmp_path / "folder.mkv").rmdir()
    with pytest.raises(InputError, match="cannot be written"):
        film.color(tmp_path / "whole.mkv", tmp_path / "text.mp4" / "out.mp4", tinted, "")
    assert sorted(tmp_path.iterdir()) == there
