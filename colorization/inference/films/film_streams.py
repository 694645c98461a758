"""The streams of a film beside its pictures: copied, converted or left out, as the container allows."""

import io
import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from colorization.core.errors import InputError, printable
from colorization.inference.films.containers import open_container
from colorization.inference.films.film_reading import COVER

SUFFIXES = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov"}
"""Suffixes of films that can be written -> FFmpeg's name of the container."""

_TEXT = {"mp4": "mov_text", "matroska": "subrip", "mov": "mov_text"}
"""FFmpeg's name of a container -> FFmpeg's name of text subtitles that it always holds."""

_TEXTS = {"ass", "mov_text", "srt", "ssa", "subrip", "text", "webvtt"}  # FFmpeg's decoders of text subtitles
_COVERS = {
    "png": ("cover.png", "image/png"),
    "mjpeg": ("cover.jpg", "image/jpeg"),
    "gif": ("cover.gif", "image/gif"),
    "tiff": ("cover.tiff", "image/tiff"),
    "bmp": ("cover.bmp", "image/bmp"),
}
"""FFmpeg's name of a picture format -> name and media type of the file that is a cover in Matroska."""

_THUMBNAILS = 1 << 11  # FFmpeg's AV_DISPOSITION_TIMED_THUMBNAILS: a picture for each chapter
_MILLISECOND = Fraction(1, 1000)
OF_THE_STREAM = {"duration", "bps", "number_of_frames", "number_of_bytes", "encoder", "vendor_id"}
"""Metadata that describe the old stream; the new one has its own."""


class Plan(NamedTuple):
    """The treatment of the streams that a container cannot hold unchanged.

    Attributes:
        converted: {index of the stream: FFmpeg's name of the codec}, of text subtitles.
        left_out: {index of the stream: its description}.
        attached: {index of the stream: the bytes of its picture}, of covers that become attachments.
    """

    converted: dict[int, str]
    left_out: dict[int, str]
    attached: dict[int, bytes]


def plan(film: Any, target: Path) -> Plan:
    """The Plan for a film.

    Args:
        film: from film_reading.opened.
        target: path with one of SUFFIXES.

    Returns:
        Plan.

    Raises:
        InputError: the container cannot hold the audio.
    """
    kind = SUFFIXES[target.suffix.lower()]
    found = Plan({}, {}, _covers(film) if kind == "matroska" else {})
    for stream in others(film):
        if stream.index in found.attached or _holds(kind, stream, None):
            continue
        if stream.type == "audio":
            raise InputError(
                f"{printable(target)} cannot hold the audio of the film ({stream.name}): give a name "
                "that ends in .mkv, or a film without audio."
            )
        if stream.type == "subtitle" and stream.name in _TEXTS and _holds(kind, stream, _TEXT[kind]):
            found.converted[stream.index] = _TEXT[kind]
        else:
            found.left_out[stream.index] = _described(stream)
    return found


def others(film: Any) -> list:
    """The streams of a film beside its pictures.

    Args:
        film: from film_reading.opened.

    Returns:
        PyAV's streams, without the text track that repeats the chapters.
    """
    if not film.container:
        return []
    chapters = bool(film.container.chapters())
    return [
        stream
        for stream in film.container.streams
        if stream is not film.stream
        and not (chapters and stream.type == "data" and stream.name == "bin_data")
    ]


def is_cover(stream: Any) -> bool:
    """Whether a stream is a picture that stands for the film.

    Args:
        stream: PyAV's stream of the source.

    Returns:
        True for a cover.
    """
    return bool(stream.disposition & COVER and not stream.disposition & _THUMBNAILS)


class Target:
    """A new stream that takes the packets of an old one.

    Args:
        output: PyAV's OutputContainer.
        stream: the old stream.
        codec: FFmpeg's name of the codec to which text subtitles are converted; None copies.
        picture: the bytes of a cover that becomes an attachment; None for other streams.
    """

    def __init__(self, output: Any, stream: Any, codec: str | None, picture: bytes | None = None):
        self._decoder = stream.codec_context if codec else None
        self._is_attached = picture is not None
        if picture is not None:
            name, kind = _COVERS[stream.name]
            self._stream = output.add_attachment(stream.metadata.get("filename", name), kind, picture)
            self._stream.metadata.update(_title(stream))
            return
        if codec:
            self._stream = output.add_stream(codec)
            stream.codec_context.open(strict=False)
            self._stream.codec_context.subtitle_header = stream.codec_context.subtitle_header
            self._stream.codec_context.time_base = self._stream.time_base = _MILLISECOND
        else:
            self._stream = output.add_stream_from_template(stream, opaque=True)
        describe(self._stream, stream)

    def taken(self, packet: Any) -> list[Any]:
        """Convert or copy a packet of the old stream. PyAV raises its FFmpegError for a damaged text.

        Args:
            packet: PyAV's packet of the old stream.

        Returns:
            PyAV's packets of the new stream; none for a pause between subtitles, or for an attachment.
        """
        if self._is_attached:
            return []
        if self._decoder:
            text = self._decoder.decode2(packet)
            if text is None:  # a pause
                return []
            new = self._stream.codec_context.encode_subtitle(text)
            scale = packet.time_base / _MILLISECOND
            new.pts = new.dts = round(packet.pts * scale)
            new.duration, new.time_base = round((packet.duration or 0) * scale), _MILLISECOND
            packet = new
        packet.stream = self._stream
        return [packet]


def describe(new: Any, old: Any) -> None:
    """Give a new stream the language, title and disposition of an old one.

    Args:
        new: PyAV's stream to change.
        old: PyAV's stream of the source.
    """
    title = _title(old)
    new.metadata.update({**without(old.metadata, OF_THE_STREAM), **title})
    if title and new.container.format.name in ("mp4", "mov"):
        new.metadata["handler_name"] = title["title"]  # the only name that players of these show for a stream
    new.disposition = old.disposition


def _title(stream):
    """{"title": title of a stream}; empty without one. FFmpeg reads the title in MP4 as "name"."""
    title = stream.metadata.get("title") or stream.metadata.get("name")
    return {"title": title} if title else {}


def _covers(film):
    """{index of the stream: bytes of the picture} of the covers that Matroska can hold."""
    wanted = [stream.index for stream in others(film) if is_cover(stream) and stream.name in _COVERS]
    if not wanted:
        return {}
    with open_container(film.path, metadata_errors="replace") as container:
        packets = container.demux([container.streams[index] for index in wanted])
        # Covers come before all other packets, one for each
        first = itertools.islice((packet for packet in packets if packet.size), len(wanted))
        return {packet.stream.index: bytes(packet) for packet in first}


def without(metadata: dict[str, str], names: set[str]) -> dict[str, str]:
    """Remove entries from metadata. The statistics of Matroska's tools are removed too.

    Args:
        metadata: {name: value}.
        names: names to remove, in lower case.

    Returns:
        {name: value} of the other entries.
    """
    return {
        key: value
        for key, value in metadata.items()
        if key.lower().split("-")[0] not in names and not key.startswith("_STATISTICS")
    }


def left_out(film: Any, target: Path, plan: Plan) -> list[str]:
    """Warnings about the streams that the container of `target` cannot hold.

    Args:
        film: from film_reading.opened.
        target: path of the new film.
        plan: the Plan for it.

    Returns:
        A sentence for each stream.
    """
    return [
        f"warning: {printable(target)} cannot hold {text} of {printable(film.path)}: it is left out."
        for text in plan.left_out.values()
    ]


def _holds(kind, stream, codec):
    """Whether a container of a kind takes a stream, converted to a codec if one is given."""
    import av

    if is_cover(stream) and kind != "mp4":  # FFmpeg drops it from MOV silently, and makes it a film in MKV
        return False
    try:
        with av.open(io.BytesIO(), "w", format=kind) as output:
            output.add_stream("libx264", rate=25, width=64, height=64, pix_fmt="yuv420p")
            Target(output, stream, codec)
            output.start_encoding()
    except (av.error.FFmpegError, ValueError):  # of FFmpeg's header and of PyAV's own check
        return False
    return True


def _described(stream):
    """A stream as a sentence names it."""
    language = stream.metadata.get("language")
    name = stream.metadata.get("filename") or getattr(stream, "name", None) or "unknown format"
    kind = "cover" if is_cover(stream) else stream.type
    return f"{kind} ({name}{f', {language}' if language else ''})"
