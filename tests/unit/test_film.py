"""Films: every frame once, at its time and in its color; the sound's own bytes; interruptions."""

import itertools
import resource

import av
import cv2
import numpy as np
import pytest
from skimage import data
from skimage.color import lab2rgb, rgb2lab
from support.films import RATE, make, pictures, read, turned

from colorization import Colorizer
from colorization.cli import main
from colorization.core import image_files
from colorization.core.errors import InputError
from colorization.inference import film, temporal_smoothing


def turned_to_blue(batch):
    """What stands for a colorizer here: other in each pixel, and told from any other order of channels."""
    return np.stack([batch[..., 2], batch[..., 0], 255 - batch[..., 1]], axis=-1)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(film, "_PART", 8)
    monkeypatch.setattr(film, "_PIXELS", 3 * 64 * 96)


@pytest.mark.parametrize("suffix", film.SUFFIXES)
@pytest.mark.parametrize(("height", "width", "sound"), [(64, 96, True), (63, 97, False)])
def test_every_frame_comes_at_its_time(tmp_path, suffix, height, width, sound):
    """Oracle: the pictures and times that the film is made of here, one pause and one haste among them."""
    shown = pictures(21, height, width)
    times = [0, *range(2, 14), *range(30, 38)]
    source, target = make(tmp_path / "in.mp4", shown, times, sound), tmp_path / f"out{suffix}"
    film.color(source, target, turned_to_blue, "", smooth=False)
    (before, _, voice), (after, found, heard) = read(source), read(target)
    np.testing.assert_allclose(after, before, atol=0.001)  # Matroska counts milliseconds
    assert len(found) == len(shown)
    for picture, rgb in zip(found, shown, strict=True):
        assert picture.shape == rgb.shape
        difference = picture.astype(int) - turned_to_blue(rgb)
        assert np.abs(difference.mean((0, 1))).max() < 2.5  # another matrix or range would be off by far more
        assert np.abs(difference).mean() < 8
    assert heard == voice
    assert bool(heard) == sound
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", target.name]


def test_a_rotation_is_done(tmp_path):
    """Oracle: NumPy's rotation, counterclockwise as H.264's."""
    shown = pictures(3, 64, 96)
    straight, target = make(tmp_path / "straight.mp4", shown, sound=False), tmp_path / "out.mp4"
    source = turned(straight, tmp_path / "in.mp4", 90)
    film.color(source, target, lambda batch: batch, "", smooth=False)
    for picture, rgb in zip(read(target)[1], shown, strict=True):
        assert np.abs(picture.astype(int) - np.rot90(rgb)).mean() < 8


def test_an_interrupted_film_goes_on(tmp_path):
    """Oracle: the film of a call that is not interrupted; the count of frames that are colored."""
    source, target = make(tmp_path / "in.mp4", pictures(30, 64, 96)), tmp_path / "out.mp4"
    colored = []

    def interrupted(batch):
        if sum(colored) > 20:
            raise KeyboardInterrupt
        return counted(batch)

    def counted(batch):
        colored.append(len(batch))
        return turned_to_blue(batch)

    with pytest.raises(KeyboardInterrupt):
        film.color(source, target, interrupted, "this")
    assert not target.exists()
    colored.clear()
    film.color(source, target, counted, "this")
    assert sum(colored) == 30 - 16
    film.color(source, tmp_path / "whole.mp4", turned_to_blue, "this")
    for one, other in zip(read(target), read(tmp_path / "whole.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)  # the smoothing goes on too
    colored.clear()
    with pytest.raises(KeyboardInterrupt):
        film.color(source, tmp_path / "other.mp4", interrupted, "this")
    colored.clear()
    film.color(source, tmp_path / "other.mp4", counted, "another model")
    assert sum(colored) == 30
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.mp4", "whole.mp4", "other.mp4"}


def chroma(rgb):
    return rgb2lab(rgb)[..., 1:]


def test_flicker_is_smoothed():
    """Oracle: an exponential mean of independent tints varies by sqrt((1 - k) / (1 + k)) of what they do."""
    rng = np.random.default_rng(0)
    tints = rng.normal(0, 12, (300, 2))
    gray = np.full((16, 16, 1), 60.0)
    shown = [lab2rgb(np.concatenate([gray, np.broadcast_to(tint, (16, 16, 2))], -1)) for tint in tints]
    smooth = temporal_smoothing.Steady()
    found = np.array([chroma(smooth(np.round(255 * rgb).astype(np.uint8))).mean((0, 1)) for rgb in shown])
    expected = np.sqrt((1 - temporal_smoothing.KEPT) / (1 + temporal_smoothing.KEPT))
    assert found[20:].std() / tints[20:].std() == pytest.approx(expected, rel=0.25)


def test_colors_follow_what_moves_and_stop_at_a_cut():
    """Oracle: the true colors of stripes that move, which lightness hardly tells apart: those of a mean that
    does not follow would be off by 20; lightness stays; a cut's first frame is its own."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 14, (96, 300)), (0, 0), 2)
    red = (np.arange(300) // 25 % 2 == 0)[:, None]
    ab = np.broadcast_to(np.where(red, (30, 20), (-30, 20)), (96, 300, 2))
    wide = np.round(255 * lab2rgb(np.concatenate([60 + texture[..., None], ab], -1))).astype(np.uint8)
    shown = [np.ascontiguousarray(wide[:, 3 * i : 3 * i + 128]) for i in range(40)]
    smooth = temporal_smoothing.Steady()
    for rgb in shown:
        found = smooth(rgb)
        assert np.linalg.norm(chroma(found) - chroma(rgb), axis=-1).mean() < 10
        assert np.abs(rgb2lab(found)[..., 0] - rgb2lab(rgb)[..., 0]).mean() < 0.5
    other = data.rocket()[:96, :128]
    np.testing.assert_allclose(smooth(other), other, atol=1)


def test_lightness_stays_where_srgb_lacks_a_mix():
    """Oracle: scikit-image's lightness; of vivid colors, and of such that are near them."""
    rng = np.random.default_rng(0)
    vivid = rng.choice(np.array([0, 60, 200, 255], np.uint8), (31, 320, 3))  # so small that nothing moves
    near = np.clip(vivid + rng.integers(-30, 31, vivid.shape), 0, 255).astype(np.uint8)
    smooth = temporal_smoothing.Steady()
    smooth(vivid)
    found = smooth(near)
    assert np.abs(rgb2lab(found)[..., 0] - rgb2lab(near)[..., 0]).max() < 0.6
    assert np.abs(chroma(found) - chroma(vivid)).mean() < 0.7 * np.abs(chroma(near) - chroma(vivid)).mean()


def test_a_film_is_smoothed_across_its_parts(tmp_path):
    """Oracle: Steady, called here for each frame, on colors that change from frame to frame."""
    source, target = make(tmp_path / "in.mp4", pictures(20, 64, 96)), tmp_path / "out.mp4"
    tints = itertools.cycle(((30, 0, 0), (0, 0, 30)))

    def flickering(batch):
        return np.stack([np.clip(rgb + np.array(next(tints)), 0, 255).astype(np.uint8) for rgb in batch])

    film.color(source, target, flickering, "")
    tints, smooth = itertools.cycle(((30, 0, 0), (0, 0, 30))), temporal_smoothing.Steady()
    for found, rgb in zip(read(target)[1], read(source)[1], strict=True):
        expected = smooth(flickering(rgb[None])[0])
        assert np.abs(chroma(found).mean((0, 1)) - chroma(expected).mean((0, 1))).max() < 2


def test_the_command(tmp_path, capsys):
    """Oracle: the preset on the frames as they are stored."""
    source, target = make(tmp_path / "in.mp4", pictures(4, 64, 96)), tmp_path / "deep" / "out.mkv"
    command = ["film", str(source), "-o", str(target), "--no-smoothing"]
    assert main.main(command) == 0
    assert capsys.readouterr().out == f"{target}\n"
    expected = Colorizer.from_preset("photos").colorize(np.stack(read(source)[1])).astype(int)
    found = np.stack(read(target)[1])
    assert np.abs(found - expected).mean() < 6
    assert np.ptp(found.astype(int), axis=-1).mean() > 5
    assert main.main(command) == 2
    assert "already exists" in capsys.readouterr().err
    assert main.main([*command, "--overwrite"]) == 0


def test_the_source_is_never_overwritten(tmp_path, capsys):
    source = make(tmp_path / "in.mp4", pictures(2, 64, 96))
    before = source.read_bytes()
    (tmp_path / "link.mp4").symlink_to(source)
    (tmp_path / "hard.mp4").hardlink_to(source)
    for name in ("in.mp4", "link.mp4", "hard.mp4"):
        assert main.main(["film", str(source), "-o", str(tmp_path / name), "--overwrite"]) == 2
        assert f"{name} is the film to color" in capsys.readouterr().err
    assert source.read_bytes() == before


@pytest.mark.parametrize(("limit", "left"), [(0, []), (3000, []), (14000, [".out.mp4.parts"])])
def test_a_disk_without_room_is_not_the_films_fault(tmp_path, limit, left):
    """Files may not grow beyond `limit`: not even begin, hold a part, hold the film whose parts all fit."""
    source, target = make(tmp_path / "in.mp4", pictures(21, 64, 96)), tmp_path / "out.mp4"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(InputError, match=rf"^{tmp_path}/.*cannot be written: File too large"):
            film.color(source, target, turned_to_blue, "", smooth=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*left, "in.mp4"]
    film.color(source, target, turned_to_blue, "", smooth=False)
    assert len(read(target)[1]) == 21


def test_sound_that_the_file_cannot_hold_is_told_before_the_work(tmp_path):
    """AVI's telephone sound, which MP4 does not know; Matroska does."""
    source = tmp_path / "in.avi"
    with av.open(str(source), "w") as output:
        video, voice = output.add_stream("mpeg4", rate=RATE), output.add_stream("pcm_u8", rate=8000)
        video.height, video.width, video.pix_fmt, voice.layout = 64, 96, "yuv420p", "mono"
        output.mux(video.encode(av.VideoFrame.from_ndarray(data.coffee()[:64, :96].copy(), "rgb24")))
        output.mux(video.encode(None))
        wave = av.AudioFrame.from_ndarray(np.full((1, 400), 90, np.uint8), format="u8", layout="mono")
        wave.sample_rate = 8000
        output.mux(voice.encode(wave))
    colors = []
    with pytest.raises(InputError, match=r"out\.mp4 cannot hold the audio of the film \(pcm_u8\)"):
        film.color(source, tmp_path / "out.mp4", colors.append, "")
    assert not colors
    film.color(source, tmp_path / "out.mkv", turned_to_blue, "")
    assert read(tmp_path / "out.mkv")[2] == read(source)[2] != []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.avi", "out.mkv"]


def test_a_film_that_changes_its_size_keeps_its_first(tmp_path):
    """Two recordings in one, as television sends them; oracle: OpenCV's enlargement of the second one's."""
    first, second = pictures(5, 64, 96), [picture[:48, :72] for picture in pictures(11, 64, 96)]
    both = [
        make(tmp_path / "first.ts", first, range(5), sound=False),
        make(tmp_path / "second.ts", second, range(9, 20), sound=False),
    ]
    source, target = tmp_path / "in.ts", tmp_path / "out.mkv"
    source.write_bytes(b"".join(path.read_bytes() for path in both))
    film.color(source, target, turned_to_blue, "", smooth=False)
    times, found, _ = read(target)
    assert len(found) == 16
    assert times == sorted(set(times))
    expected = first + [cv2.resize(picture, (96, 64), interpolation=cv2.INTER_CUBIC) for picture in second]
    for picture, rgb in zip(found, turned_to_blue(np.stack(expected)), strict=True):
        assert np.abs(picture.astype(int) - rgb).mean() < 8


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (16, 80), (11, 64), (31, 200), (32, 32)])
def test_films_of_any_size_are_smoothed(size):
    """Sizes at which OpenCV's flow crashes among them; what stands still keeps most of its color."""
    steadied = temporal_smoothing.Steady()
    gray = np.full((*size, 3), 120, np.uint8)
    steadied(gray + np.uint8([20, 0, 0]))
    red = steadied(gray + np.uint8([0, 0, 20])).astype(int)
    assert (red[..., 0] > red[..., 2]).all()


def test_damaged_sound_is_told(tmp_path):
    """AAC whose headers name no sampling rate, in a container that does not look at them."""
    whole, damaged = make(tmp_path / "in.ts", pictures(4, 64, 96)), tmp_path / "damaged.nut"
    with av.open(str(whole)) as container, av.open(str(damaged), "w") as output:
        copied = {stream: output.add_stream_from_template(stream) for stream in container.streams}
        for packet in container.demux():
            if packet.dts is None:
                continue
            changed = packet
            if packet.stream.type == "audio":
                changed = av.Packet(b"\xff\xf1\xff\xff" + bytes(packet)[4:])
                changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.stream = copied[packet.stream]
            output.mux(changed)
    with pytest.raises(InputError, match=r"The audio of .*damaged\.nut is damaged"):
        film.color(damaged, tmp_path / "out.mp4", turned_to_blue, "")
    assert not (tmp_path / "out.mp4").exists()


def test_what_is_no_film_gets_one_sentence(tmp_path, capsys):
    image_files.write(tmp_path / "picture.png", data.coffee())
    (tmp_path / "text.mp4").write_text("no film")
    whole = make(tmp_path / "whole.mkv", pictures(30, 64, 96)).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[:200])
    there = sorted(tmp_path.iterdir())
    for name, sentence in (
        ("picture.png", "is not a film: it has no video stream"),
        ("text.mp4", "cannot be read as a film"),
        ("cut.mkv", "cannot be read as a film"),
        ("nowhere.mp4", "No such file"),
    ):
        assert main.main(["film", str(tmp_path / name), "-o", str(tmp_path / "out.mp4")]) == 2
        assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert main.main(["film", str(tmp_path / "whole.mkv"), "-o", str(tmp_path / "out.avi")]) == 2
    assert "the name of a film ends in .mp4, .mkv, .mov" in capsys.readouterr().err
    with pytest.raises(InputError, match="cannot be written"):
        film.color(tmp_path / "whole.mkv", tmp_path / "text.mp4" / "out.mp4", turned_to_blue, "")
    assert sorted(tmp_path.iterdir()) == there
