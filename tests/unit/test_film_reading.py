"""Damaged, interlaced and HDR films, and films whose frames change: what is read of them."""

import resource
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab
from support.films import make, pictures, read, remade, tinted

from colorization.core.errors import InputError
from colorization.inference.films import film, film_frames, film_parts, film_reading


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(film_parts, "FRAMES", 8)


def lightness(rgb):
    return rgb2lab(rgb)[..., 0]


def noise(count, height, width):
    """Gray pictures that need as many bytes each."""
    levels = np.random.default_rng(0).integers(0, 255, (count, height, width, 1), np.uint8)
    return list(np.repeat(levels, 3, axis=-1))


def gray(planes):
    """A colorizer without color, whose results have exactly the lightness of the source."""
    return np.zeros((*planes.shape, 2), np.float32)


DEFAULT = film.Settings()


def colored(source, target, settings=DEFAULT, predict=tinted):
    """(pictures of the colored film, its times, sentences)."""
    told = []
    film.color(source, target, predict, "", settings, tell=told.append)
    times, found, _ = read(target)
    return found, times, told


@pytest.mark.parametrize("bad", [0, 7, 11, 19])
def test_a_frame_that_cannot_be_decoded_is_the_frame_before(tmp_path, bad):
    """Oracle: the pictures; at the beginning there is only the frame behind."""
    shown = pictures(20, 48, 64)
    whole = make(tmp_path / "whole.avi", shown, codec="mjpeg", pix_fmt="yuvj444p", sound=False)
    source = remade(whole, tmp_path / "in.avi", lambda number, data: b"\0" * 99 if number == bad else data)
    found, times, told = colored(source, tmp_path / "out.mkv")
    expected = [*shown]
    expected[bad] = shown[bad - 1] if bad else shown[1]
    np.testing.assert_allclose(np.diff(times), 1001 / 24000, atol=0.0015)
    for picture, rgb in zip(found, expected, strict=True):
        assert np.abs(lightness(picture) - lightness(rgb)).mean() < 2.5
    assert len(told) == 1
    assert film_reading.clock(bad * 1001 / 24000) in told[0]
    assert "replaced by the frame before it" in told[0]


def test_many_bad_frames_are_one_sentence(tmp_path):
    whole = make(tmp_path / "whole.avi", pictures(20, 48, 64), codec="mjpeg", pix_fmt="yuvj444p", sound=False)
    source = remade(whole, tmp_path / "in.avi", lambda number, data: data if number % 2 else b"\0" * 99)
    found, _, told = colored(source, tmp_path / "out.mkv")
    assert len(found) == 20
    assert len(told) == 1
    assert "and 5 more" in told[0]


def test_reordered_frames_keep_their_order_around_a_bad_one(tmp_path):
    """A film with B-frames, one of which is lost; oracle: the times of the whole film."""
    shown = pictures(24, 64, 96)
    whole = make(tmp_path / "whole.mkv", shown, sound=False)
    with av.open(str(whole)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    bad = next(n for n in range(4, 20) if times[n] < max(times[:n]))  # a frame that is shown before others
    source = remade(whole, tmp_path / "in.mkv", lambda number, data: data if number != bad else b"\0" * 50)
    found, after, told = colored(source, tmp_path / "out.mkv")
    np.testing.assert_allclose(after, sorted(time / 1000 for time in times), atol=0.0015)
    assert film_reading.clock(times[bad] / 1000) in told[0]
    place = sorted(times).index(times[bad])
    assert np.abs(lightness(found[place]) - lightness(found[place - 1])).mean() < 0.5


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".ts", ".flv"])
@pytest.mark.parametrize("share", [0.4, 0.7])
def test_a_film_that_was_cut_short_is_colored_to_its_end(tmp_path, suffix, share):
    """Oracle: the share of the bytes that is left, and the pictures. A transport stream has no known length."""
    shown = pictures(60, 48, 64)
    codec = "mpeg2video" if suffix == ".ts" else "flv1" if suffix == ".flv" else "mpeg4"
    whole = make(tmp_path / f"whole{suffix}", shown, codec=codec, pix_fmt="yuv420p", rate=Fraction(25))
    source = tmp_path / f"in{suffix}"
    data = whole.read_bytes()
    source.write_bytes(data[: int(share * len(data))])
    found, times, told = colored(source, tmp_path / "out.mkv", predict=gray)
    assert 60 * share - 20 < len(found) < 60 * share + 6
    assert times == sorted(times)
    assert np.abs(lightness(found[0]) - lightness(read(whole)[1][0])).mean() < 5
    if suffix != ".ts":
        assert any("cut short" in sentence or "cannot be read beyond" in sentence for sentence in told)
    assert all(sentence.startswith("warning: ") for sentence in told)


def test_whole_films_are_not_called_short(tmp_path):
    """The sound may be longer or shorter than the picture."""
    for suffix, codec in ((".mkv", "libx264"), (".mp4", "libx264"), (".avi", "mpeg4"), (".flv", "flv1")):
        for sound in (True, False):
            source = make(
                tmp_path / f"in{suffix}", pictures(30, 48, 64), sound=sound, codec=codec, pix_fmt="yuv420p"
            )
            assert colored(source, tmp_path / "out.mkv")[2] == []
            (tmp_path / "out.mkv").unlink()


def test_a_bad_frame_does_not_stop_the_film_that_follows(tmp_path):
    """Interrupted behind a damaged frame and continued: the same film as without an interruption."""
    whole = make(tmp_path / "whole.avi", pictures(30, 48, 64), codec="mjpeg", pix_fmt="yuvj444p")
    source = remade(whole, tmp_path / "in.avi", lambda number, data: b"\0" * 99 if number == 9 else data)
    calls = []

    def interrupted(planes):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return tinted(planes)

    settings = film.Settings(interval=4)
    with pytest.raises(KeyboardInterrupt):
        film.color(source, tmp_path / "out.mkv", interrupted, "", settings)
    found, _, told = colored(source, tmp_path / "out.mkv", settings)
    expected, _, told_at_once = colored(source, tmp_path / "at-once.mkv", settings)
    assert told == told_at_once != []
    np.testing.assert_array_equal(found, expected)


def woven(count, height, width):
    """Two fields in each frame, between which the camera moves: (frames, pictures of both fields)."""
    cat = data.chelsea()
    field = [cat[:height, 2 * i : 2 * i + width] for i in range(2 * count)]
    even = (np.arange(height) % 2 == 0)[:, None, None]
    return [np.where(even, field[2 * i], field[2 * i + 1]) for i in range(count)], list(
        zip(field[::2], field[1::2], strict=True)
    )


def combing(picture):
    """How much neighboring lines differ beyond what every second line does."""
    gray = lightness(picture)
    return np.abs(gray[1:-1] - (gray[:-2] + gray[2:]) / 2).mean()


@pytest.mark.parametrize("flagged", [True, False])
def test_interlaced_films_are_deinterlaced(tmp_path, flagged):
    """Oracle: combing of the woven pictures, and of those that are not interlaced."""
    shown, whole = woven(30, 96, 128)

    def flag(_, video):
        if flagged:
            video.options["x264-params"] = "tff=1"

    source = make(tmp_path / "in.mkv", shown, pix_fmt="yuv420p", prepare=flag, rate=Fraction(25))
    found, times, told = colored(source, tmp_path / "out.mkv")
    assert "is interlaced: its frames are deinterlaced" in told[0]
    assert len(found) == 30
    np.testing.assert_allclose(np.diff(times), 0.04, atol=0.001)
    left, _, told = colored(source, tmp_path / "left.mkv", film.Settings(deinterlace=False))
    assert "its frames are left as they are" in told[0]
    assert len(left) == 30
    for deinterlaced, as_it_was, fields in list(zip(found, left, whole, strict=True))[2:]:
        assert combing(deinterlaced) < 0.5 * combing(as_it_was)
        assert min(np.abs(lightness(deinterlaced) - lightness(field)).mean() for field in fields) < 2.5


def test_progressive_films_are_left_alone(tmp_path):
    """Also with the grain of film."""
    rng = np.random.default_rng(0)
    for grain in (0, 12):
        shown = [
            np.clip(rgb + rng.normal(0, grain, (*rgb.shape[:2], 1)), 0, 255).astype(np.uint8)
            for rgb in pictures(30, 96, 128)
        ]
        source = make(tmp_path / f"{grain}.mkv", shown, sound=False)
        with film_reading.opened(source) as opened:
            properties = film_frames.examine(opened)
        assert (properties.combed, properties.flagged) == (False, False)


def hdr_film(path, transfer):
    """A gray ramp in PQ (16) or HLG (18), as their standards code it: 0 to 1000 nits, or 0 to 1."""
    codes = np.linspace(64, 721 if transfer == 16 else 940, 64)
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"crf": "1"})
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p10le"
        context = video.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = (
            transfer,
            9,
            9,
            1,
        )
        for i in range(4):
            planes = np.full((72, 64), 512, np.uint16)
            planes[:48] = np.round(codes)
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p10le")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = transfer, 9, 9, 1
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), pytest.param(18, "HLG", marks=pytest.mark.slow)])
def test_hdr_becomes_sdr(tmp_path, transfer, name):
    """A ramp stays a gray ramp from black to nearly white; its gray is not that of the codes as they stand."""
    source = hdr_film(tmp_path / "in.mkv", transfer)
    told = []
    film.color(source, tmp_path / "out.mkv", gray, "", tell=told.append)
    with av.open(str(tmp_path / "out.mkv")) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_trc, frame.color_primaries, frame.colorspace) == (1, 1, 1)
        ramp = lightness(frame.to_ndarray(format="rgb24"))[24]
    assert f"is HDR ({name}): it is converted to SDR" in told[0]
    assert (np.diff(ramp) > -0.7).all()
    assert ramp[0] < 2
    assert ramp[-1] > 75


def test_hdr_that_ffmpeg_cannot_convert_is_refused(tmp_path, monkeypatch):
    source = hdr_film(tmp_path / "in.mkv", 16)
    monkeypatch.setattr(film_frames, "_FLAGS", "bicubic:intent=unknown")
    with pytest.raises(InputError, match=r"is HDR \(PQ\), and this FFmpeg cannot convert it"):
        film.color(source, tmp_path / "out.mkv", tinted, "")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_a_film_that_changes_its_size_keeps_its_first(tmp_path):
    """Two recordings in one, as television sends them; oracle: OpenCV's enlargement of the second one's."""
    first, second = pictures(5, 64, 96), [picture[:48, :72] for picture in pictures(11, 64, 96)]
    both = [
        make(tmp_path / "first.ts", first, range(5), sound=False),
        make(tmp_path / "second.ts", second, range(9, 20), sound=False),
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(path.read_bytes() for path in both))
    found, times, _ = colored(source, tmp_path / "out.mkv")
    assert len(found) == 16
    assert times == sorted(set(times))
    expected = first + [cv2.resize(picture, (96, 64), interpolation=cv2.INTER_CUBIC) for picture in second]
    for picture, rgb in zip(found, expected, strict=True):
        assert np.abs(lightness(picture) - lightness(rgb)).mean() < 2.5


@pytest.mark.parametrize(("limit", "left"), [(0, []), (20_000, []), (150_000, [".out.mp4.parts"])])
def test_a_disk_without_room_is_not_the_films_fault(tmp_path, limit, left):
    """Files may not grow beyond `limit`: not even begin, hold a part, hold the film whose parts all fit."""
    source, target = make(tmp_path / "in.mp4", noise(60, 64, 96)), tmp_path / "out.mp4"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(InputError, match=rf"^{tmp_path}/.*cannot be written: File too large"):
            film.color(source, target, tinted, "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*left, "in.mp4"]
    film.color(source, target, tinted, "")
    assert len(read(target)[1]) == 60
