"""Join the colored pictures of a film with everything else that its container holds."""

import heapq
import io
import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorization.core.errors import InputError, printable
from colorization.inference.film_parts import Parts
from colorization.inference.film_reading import COVER

SUFFIXES = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov"}
"""Suffixes of films that can be written -> FFmpeg's name of the container."""

_OF_THE_CONTAINER = {"major_brand", "minor_version", "compatible_brands", "encoder"}
_OF_THE_STREAM = {"duration", "bps", "number_of_frames", "number_of_bytes", "encoder", "vendor_id"}
"""Metadata that describe the old file, in lower case; the new one has its own."""


def refused(film: Any, target: Path) -> dict[int, str]:
    """The streams that the container of `target` cannot hold.

    Returns:
        {index of the stream: its description}.

    Raises:
        InputError: audio is among them.
    """
    found = {}
    for stream in _others(film):
        if not _holds(SUFFIXES[target.suffix.lower()], stream):
            if stream.type == "audio":
                raise InputError(
                    f"{printable(target)} cannot hold the audio of the film ({stream.name}): give a name "
                    "that ends in .mkv, or a film without audio."
                )
            found[stream.index] = _described(stream)
    return found


def join(
    film: Any,
    parts: Parts,
    target: Path,
    *,
    refused: dict[int, str],
    start: float,
    end: float | None,
    tell: Callable[[str], None],
) -> None:
    """Write a film: the pictures of finished parts at their times, and the other streams of the source.

    Args:
        film: the source, from film_reading.opened.
        parts: all parts of the film.
        target: path with one of SUFFIXES.
        refused: streams to leave out, from `refused`.
        start, end: the part of the source that was colored, in seconds.
        tell: function that takes a warning.
    """
    import av

    with av.open(str(parts.films()[0])) as first, av.open(str(target), "w") as output:
        copied = {}
        for stream in [film.stream, *_others(film)] if film.container else [None]:
            if stream is None or stream is film.stream:
                picture = output.add_stream_from_template(first.streams.video[0])
                picture.time_base = film.time_base
                _describe(picture, stream)
            elif stream.index not in refused:
                copied[stream.index] = _added(output, stream)
        offset = film.begin * film.time_base + Fraction(start)
        until = None if end is None else film.begin * film.time_base + Fraction(end)
        if film.container:
            output.metadata.update(_without(film.container.metadata, _OF_THE_CONTAINER))
            output.set_chapters(_chapters(film, offset, until))
        packets = heapq.merge(
            _pictures(parts, picture, film, offset),
            _copies(film, copied, offset, start, until),
            key=lambda packet: packet.dts * packet.time_base,
        )
        if damaged := _mux(output, packets):
            tell(
                f"warning: {printable(film.path)} has {damaged} damaged packets of audio or subtitles: they "
                "are left out."
            )


def _others(film):
    """The streams of a film beside its pictures, without a text track that repeats its chapters."""
    if not film.container:
        return []
    chapters = bool(film.container.chapters())
    return [
        stream
        for stream in film.container.streams
        if stream is not film.stream
        and not (chapters and stream.type == "data" and stream.name == "bin_data")
    ]


def _holds(kind, stream):
    """Whether a container of a kind takes a stream."""
    import av

    try:
        with av.open(io.BytesIO(), "w", format=kind) as output:
            output.add_stream("libx264", rate=25, width=64, height=64, pix_fmt="yuv420p")
            _added(output, stream)
            output.start_encoding()
    except (av.error.FFmpegError, ValueError):  # of FFmpeg's header and of PyAV's own check
        return False
    return True


def _added(output, stream):
    """A stream of `output` that takes the packets of a stream."""
    added = output.add_stream_from_template(stream, opaque=True)
    _describe(added, stream)
    return added


def _describe(added, stream):
    """Give a new stream the language, title and disposition of an old one."""
    if stream is not None:
        added.metadata.update(_without(stream.metadata, _OF_THE_STREAM))
        added.disposition = stream.disposition


def _without(metadata, names):
    """Metadata without those of these names, and without statistics as Matroska's tools write them."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower().split("-")[0] not in names and not key.startswith("_STATISTICS")
    }


def _described(stream):
    """A stream as a sentence names it."""
    language = stream.metadata.get("language")
    name = stream.metadata.get("filename") or getattr(stream, "name", None) or "unknown format"
    return f"{stream.type} ({name}{f', {language}' if language else ''})"


def _chapters(film, offset, end):
    """The chapters of a film that lie in a part of it, in the times of that part.

    Args:
        film: the source.
        offset: the time in the source at which the part begins, a Fraction of seconds.
        end: the time at which it ends, or None.
    """
    found = []
    for chapter in film.container.chapters():
        base = chapter["time_base"]
        first = max(chapter["start"] * base - offset, Fraction(0))
        last = chapter["end"] * base - offset
        if end is not None:
            last = min(last, end - offset)
        if first < last:
            found.append({**chapter, "start": round(first / base), "end": round(last / base)})
    return found


def _pictures(parts, stream, film, offset):
    """The packets of the pictures, one a frame, at the times of the frames minus `offset`."""
    zero = round(offset / film.time_base)
    pairs = itertools.pairwise(itertools.chain(parts.packets(), [(None, film.end)]))
    for (packet, time), (_, after) in pairs:
        packet.stream, packet.time_base = stream, film.time_base
        packet.pts = packet.dts = time - zero
        packet.duration = max(1, after - time)
        yield packet


def _copies(film, streams, offset, start, end) -> Iterator[Any]:
    """The packets of some streams of a film, as packets of the streams that they go into."""
    import av

    wanted = [old for old in _others(film) if old.index in streams and old.type != "attachment"]
    if not wanted:
        return
    try:
        for packet in film.container.demux(wanted):
            if packet.size and _moved(packet, offset, start, end):
                packet.stream = streams[packet.stream.index]
                yield packet
    except av.error.FFmpegError:  # the file cannot be read beyond this place; the film's warnings tell this
        return


def _moved(packet, offset, start, end):
    """Move a packet to its time in the new film. Returns whether it belongs there."""
    if packet.stream.disposition & COVER:
        packet.pts = packet.dts = 0
        return True
    time = packet.pts if packet.dts is None else packet.dts
    if time is None or (end is not None and time * packet.time_base >= end):
        return False
    shift = round(offset / packet.time_base)
    late = max(0, shift - time) if start else 0  # begins before the part
    if late and (packet.stream.type != "subtitle" or late >= (packet.duration or 0)):
        return False
    packet.pts = time - shift + late if packet.pts is None or late else packet.pts - shift
    packet.dts = time - shift + late
    if late:
        packet.duration -= late
    return True


def _mux(output, packets):
    """Write packets; returns the number of those that the container refuses."""
    import av

    damaged = 0
    for packet in packets:
        try:
            output.mux(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):  # the disk is full, for example
                raise
            damaged += 1
    return damaged


def left_out(film: Any, target: Path, refused: dict[int, str]) -> list[str]:
    """Sentences about the streams that the container of `target` cannot hold."""
    return [
        f"warning: {printable(target)} cannot hold {text} of {printable(film.path)}: it is left out."
        for text in refused.values()
    ]
