"""What else a film's container holds: languages, titles, chapters, subtitles, attachments, damaged sound."""

import io
import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image
from skimage import data
from support.films import RATE, make, pictures, read, tinted

from colorization.core.errors import InputError
from colorization.inference.films import film
from colorization.inference.films.film import Settings

SECOND = 1000  # subtitles' units


def rich(path, seconds=8, rate=Fraction(12)):
    """A film with two languages, subtitles, chapters, metadata, an attachment and a cover."""
    shown = list(itertools.islice(itertools.cycle(pictures(96, 48, 64)), int(seconds * rate)))
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=rate, options={"crf": "8"})
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        video.codec_context.sample_aspect_ratio = Fraction(16, 15)
        video.metadata["title"] = "Feature"
        voices = [output.add_stream("aac", rate=48000) for _ in range(2)]
        text = output.add_mux_stream("subrip")
        text.time_base = Fraction(1, SECOND)
        for stream, language, title in zip(
            [*voices, text], ["deu", "eng", "fra"], ["Original", "Commentary", "Titres"], strict=True
        ):
            stream.metadata.update(language=language, title=title)
        voices[0].disposition, voices[1].disposition = (
            av.stream.Disposition.default,
            av.stream.Disposition.comment,
        )
        text.disposition = av.stream.Disposition.forced
        output.add_attachment("font.ttf", "application/x-truetype-font", b"a font")
        output.metadata.update(title="Summer 1951", comment="reel 3")
        output.set_chapters(
            [
                {
                    "id": i,
                    "start": 4000 * i,
                    "end": 4000 * (i + 1),
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": f"Part {i}"},
                }
                for i in range(seconds // 4)
            ]
        )
        for i, rgb in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = i, 1 / rate
            output.mux(video.encode(frame))
            if i % rate == 0:
                packet = av.Packet(f"line {i // rate}".encode())
                packet.pts = packet.dts = SECOND * i // int(rate)
                packet.duration, packet.time_base, packet.stream = SECOND // 2, text.time_base, text
                output.mux(packet)
        output.mux(video.encode(None))
        for number, voice in enumerate(voices):
            for i in range(seconds * 48000 // 1024):
                wave = np.sin(np.arange(1024 * i, 1024 * (i + 1)) * 0.05 * (number + 1))[None].astype(
                    "float32"
                )
                frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 48000, 1024 * i
                output.mux(voice.encode(frame))
            output.mux(voice.encode(None))
    return path


def contents(path):
    """What a container says of its streams, and the packets of all but the picture."""
    with av.open(str(path)) as container:
        streams = [
            (
                stream.type,
                {
                    key: value
                    for key, value in stream.metadata.items()
                    if key in ("language", "title", "filename", "mimetype")
                },
                int(stream.disposition),
            )
            for stream in container.streams
        ]
        chapters = [
            (
                float(one["start"] * one["time_base"]),
                float(one["end"] * one["time_base"]),
                one["metadata"].get("title"),
            )
            for one in container.chapters()
        ]
        attached = [stream.data for stream in container.streams if stream.type == "attachment"]
        metadata = {
            key.lower(): value for key, value in container.metadata.items() if key.lower() != "encoder"
        }
        aspect = container.streams.video[0].sample_aspect_ratio
        packets = {}
        for packet in container.demux():
            if packet.size and packet.stream.type != "video":
                packets.setdefault(packet.stream.index, []).append(
                    (packet.pts, packet.duration, bytes(packet))
                )
    return {
        "streams": streams,
        "chapters": chapters,
        "attached": attached,
        "metadata": metadata,
        "aspect": aspect,
        "packets": packets,
    }


def colored(source, target, settings=Settings()):  # noqa: B008
    told = []
    film.color(source, target, tinted, "", settings, tell=told.append)
    return told


def test_everything_in_the_container_stays(tmp_path):
    """Oracle: PyAV's reading of the source."""
    source, target = rich(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    assert colored(source, target) == []
    before, after = contents(source), contents(target)
    assert len(before["streams"]) == 5
    assert after == before


def test_mp4_keeps_what_it_can_hold(tmp_path):
    source, target = rich(tmp_path / "in.mkv"), tmp_path / "out.mp4"
    told = colored(source, target)
    before, after = contents(source), contents(target)
    kinds = [stream[0] for stream in after["streams"]]
    assert kinds[:4] == ["video", "audio", "audio", "subtitle"]
    assert [stream[1]["language"] for stream in after["streams"][1:4]] == ["deu", "eng", "fra"]
    with av.open(str(target)) as container:
        names = [stream.metadata["handler_name"] for stream in list(container.streams)[1:4]]
    assert names == ["Original", "Commentary", "Titres"]  # as players show them
    assert after["chapters"] == before["chapters"]
    assert after["metadata"]["title"] == "Summer 1951"
    assert after["aspect"] == before["aspect"]
    assert len(told) == 1
    assert "cannot hold attachment (font.ttf)" in told[0]
    assert "left out" in told[0]
    for again in (tmp_path / "again.mkv", tmp_path / "again.mp4"):  # MP4's chapters are a stream, too
        assert colored(target, again) == []
        assert contents(again)["chapters"] == before["chapters"]
        assert [stream[0] for stream in contents(again)["streams"]][:4] == kinds[:4]
    titles = [stream[1].get("title") for stream in contents(tmp_path / "again.mkv")["streams"]]
    assert titles[:4] == ["Feature", "Original", "Commentary", "Titres"]
    subtitles = contents(tmp_path / "again.mkv")["packets"][3]
    assert [packet[1:] for packet in subtitles] == [packet[1:] for packet in before["packets"][3]]


def test_a_part_keeps_its_chapters_and_subtitles(tmp_path):
    """Oracle: the times of the source, minus the beginning of the part."""
    source, target = rich(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    colored(source, target, Settings(start=3.25, end=6))
    found = contents(target)
    assert [chapter[2] for chapter in found["chapters"]] == ["Part 0", "Part 1"]
    np.testing.assert_allclose([chapter[:2] for chapter in found["chapters"]], [[0, 0.75], [0.75, 2.75]])
    assert [text for _, _, text in found["packets"][3]] == [b"line 3", b"line 4", b"line 5"]
    np.testing.assert_allclose([time for time, _, _ in found["packets"][3]], [0, 750, 1750], atol=25)
    assert found["packets"][3][0][1] == pytest.approx(250, abs=25)
    assert len(found["streams"]) == 5


def with_cover(path, form):
    """A film with a cover. Returns the bytes of the cover."""
    file = io.BytesIO()
    Image.fromarray(data.coffee()[:32, :32]).save(file, form)
    whole, picture = make(path.with_name("whole.mp4"), pictures(4, 48, 64)), file.getvalue()
    with av.open(str(whole)) as container, av.open(str(path), "w") as output:
        if path.suffix == ".mkv":
            output.add_attachment("Poster", f"image/{form}", picture).metadata["title"] = "Front"
        else:  # the cover comes before the film, to which no player objects
            cover = output.add_stream({"jpeg": "mjpeg"}.get(form, form), rate=25)
            cover.height, cover.width, cover.pix_fmt = 32, 32, "yuvj420p" if form == "jpeg" else "rgb24"
            cover.disposition = av.stream.Disposition.attached_pic
        copied = {stream: output.add_stream_from_template(stream) for stream in container.streams}
        if path.suffix == ".mp4":
            packet = av.Packet(picture)
            packet.stream = cover
            output.mux(packet)
        for packet in container.demux():
            if packet.size:
                packet.stream = copied[packet.stream]
                output.mux(packet)
    return picture


def covers(path):
    """(streams of covers, their bytes, number of frames of the other pictures) of a film."""
    with av.open(str(path)) as container:
        found = [
            stream
            for stream in container.streams.video
            if stream.disposition == av.stream.Disposition.attached_pic
        ]
        (shown,) = [stream for stream in container.streams.video if stream not in found]
        packets = [packet for packet in container.demux() if packet.size]
        pictures_of = [bytes(packet) for packet in packets if packet.stream in found]
        return found, pictures_of, sum(packet.stream is shown for packet in packets)


@pytest.mark.parametrize("form", ["png", "jpeg"])
@pytest.mark.parametrize("names", [*itertools.product(["in.mp4", "in.mkv"], ["out.mp4", "out.mkv"])])
def test_a_cover_stays(tmp_path, names, form):
    """A picture that stands for the film is no film. Oracle: its bytes, and the mark of a cover in FFmpeg."""
    source, target = (tmp_path / name for name in names)
    picture = with_cover(source, form)
    assert covers(source)[1:] == ([picture], 4)
    for settings in (Settings(), Settings(start=0.1)):
        assert colored(source, target, settings) == []
        found, pictures_of, count = covers(target)
        assert pictures_of == [picture]
        assert count == 4 or settings.start > 0
        assert [stream.name for stream in found] == [{"jpeg": "mjpeg"}.get(form, form)]
    if source.suffix == target.suffix == ".mkv":
        told = [found[0].metadata[name] for name in ("filename", "mimetype", "title")]
        assert told == ["Poster", f"image/{form}", "Front"]
    elif target.suffix == ".mkv":
        assert found[0].metadata["filename"] == {"png": "cover.png", "jpeg": "cover.jpg"}[form]


def test_a_cover_that_the_file_cannot_hold_is_told(tmp_path):
    """FFmpeg writes no covers to QuickTime files. Oracle: the streams of the result."""
    with_cover(tmp_path / "in.mp4", "png")
    (told,) = colored(tmp_path / "in.mp4", tmp_path / "out.mov")
    assert "out.mov cannot hold cover (png) of" in told
    assert covers(tmp_path / "out.mov") == ([], [], 4)


@pytest.mark.parametrize(
    "names", [*itertools.product(["in.mkv", "in.mov"], ["out.mkv", "out.mp4", "out.mov"])]
)
def test_metadata_stay_or_are_told(tmp_path, names):
    """A film of a telephone. Oracle: the names that PyAV reads in the source and not in the result."""
    source, target = (tmp_path / name for name in names)
    tags = {"title": "Summer", "comment": "reel 3", "DIRECTOR": "Ada", "com.apple.quicktime.make": "Apple"}
    options = {"movflags": "use_metadata_tags"} if source.suffix == ".mov" else {}
    whole = make(tmp_path / "whole.mp4", pictures(4, 48, 64))
    with av.open(str(whole)) as container, av.open(str(source), "w", options=options) as output:
        copied = {stream: output.add_stream_from_template(stream) for stream in container.streams}
        output.metadata.update(tags)
        copied[container.streams.video[0]].metadata.update({"COMMENT": "cut", "title": "Feature"})
        for packet in container.demux():
            if packet.size:
                packet.stream = copied[packet.stream]
                output.mux(packet)
    told = " ".join(colored(source, target))
    with av.open(str(source)) as before, av.open(str(target)) as after:
        (old, new), (old_stream, new_stream) = (
            [{name.lower(): value for name, value in one.metadata.items()} for one in both]
            for both in ((before, after), (before.streams.video[0], after.streams.video[0]))
        )
    assert {name.lower() for name in tags} <= set(old)
    lost = {name.lower() for name in tags if name.lower() not in new}
    lost |= {"comment"} & set(old_stream) - set(new_stream)
    listed = told.partition("cannot hold these metadata of ")[2].partition(": ")[2].partition(". They")[0]
    assert set(listed.lower().split(", ")) == (lost or {""})
    assert bool(told) == bool(lost) == (target.suffix != ".mkv")
    assert told.count("warning: ") == bool(lost)
    assert (new["title"], new["comment"]) == ("Summer", "reel 3")
    assert "Feature" in new_stream.values()


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
    predicted = []
    with pytest.raises(InputError, match=r"out\.mp4 cannot hold the audio of the film \(pcm_u8\)"):
        film.color(source, tmp_path / "out.mp4", predicted.append, "")
    assert not predicted
    film.color(source, tmp_path / "out.mkv", tinted, "")
    assert read(tmp_path / "out.mkv")[2] == read(source)[2] != []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.avi", "out.mkv"]


def test_damaged_sound_does_not_lose_the_film(tmp_path):
    """AAC whose headers name no sampling rate, in a container that does not look at them."""
    whole, damaged = make(tmp_path / "in.ts", pictures(4, 64, 96)), tmp_path / "damaged.nut"
    with av.open(str(whole)) as container, av.open(str(damaged), "w") as output:
        copied = {stream: output.add_stream_from_template(stream) for stream in container.streams}
        for packet in container.demux():
            if not packet.size:
                continue
            changed = packet
            if packet.stream.type == "audio":
                changed = av.Packet(b"\xff\xf1\xff\xff" + bytes(packet)[4:])
                changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.stream = copied[packet.stream]
            output.mux(changed)
    told = colored(damaged, tmp_path / "out.mp4")
    assert len(read(tmp_path / "out.mp4")[1]) == 4
    assert any("damaged packets of audio" in sentence for sentence in told)


def test_a_damaged_subtitle_loses_itself_alone(tmp_path):
    """Oracle: the film without the damage. The bytes of the text are not UTF-8, which MP4 needs."""
    whole, source = rich(tmp_path / "whole.mkv"), tmp_path / "in.mkv"
    source.write_bytes(whole.read_bytes().replace(b"line 3", b"l\xefne 3"))
    colored(whole, tmp_path / "whole.mp4")
    assert "1 damaged packets of audio or subtitles" in colored(source, tmp_path / "out.mp4")[-1]
    expected, found = (
        [
            (index, time, content)
            for index, packets in contents(tmp_path / name)["packets"].items()
            for time, _, content in packets
            if content != b"\0\0"  # a pause
        ]
        for name in ("whole.mp4", "out.mp4")
    )
    assert found == [one for one in expected if b"line 3" not in one[2]]
    assert len(found) == len(expected) - 1


def test_a_film_with_everything_and_a_damaged_frame(tmp_path):
    """One minute, two languages, chapters, subtitles, and a frame that cannot be decoded."""
    whole = rich(tmp_path / "whole.mkv", seconds=60, rate=Fraction(4))
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    before = contents(whole)
    data_of = whole.read_bytes()
    with av.open(str(whole)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][101]
        start, size = packet.pos, packet.size
    place = data_of.index(bytes(packet), start)
    source.write_bytes(data_of[:place] + b"\0" * size + data_of[place + size :])
    told = colored(source, target)
    assert len(told) == 1
    assert "1 frames that cannot be decoded" in told[0]
    assert contents(target) == before
    assert len(read(target)[1]) == 240
