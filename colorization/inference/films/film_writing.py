"""Join the colored pictures of a film with the other streams of its container."""

import heapq
import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorization.core.errors import printable
from colorization.inference.films.containers import open_container
from colorization.inference.films.film_parts import Parts
from colorization.inference.films.film_streams import (
    OF_THE_STREAM,
    Plan,
    Target,
    describe,
    is_cover,
    others,
    without,
)

_OF_THE_CONTAINER = {"major_brand", "minor_version", "compatible_brands", "encoder"}
"""Metadata that describe the old file; the new one has its own."""

_SET_BY_FFMPEG = {"creation_time", "handler_name"}
"""Metadata of a stream that FFmpeg sets anew in MP4 and MOV: the time is that of the whole file."""


def join(
    film: Any,
    parts: Parts,
    target: Path,
    *,
    plan: Plan,
    start: float,
    end: float | None,
    tell: Callable[[str], None],
) -> None:
    """Write a film: the pictures of finished parts at their times, and the other streams of the source.

    Args:
        film: the source, from film_reading.opened.
        parts: all parts of the film.
        target: path with one of film_streams.SUFFIXES.
        plan: from film_streams.plan.
        start, end: the part of the source that was colored, in seconds.
        tell: function that takes warnings, one sentence each.
    """
    with open_container(parts.films()[0]) as first, open_container(target, "w") as output:
        picture = output.add_stream_from_template(first.streams.video[0])
        picture.time_base = film.time_base
        if film.container:
            describe(picture, film.stream)
        copied = {
            stream.index: Target(
                output, stream, plan.converted.get(stream.index), plan.attached.get(stream.index)
            )
            for stream in others(film)
            if stream.index not in plan.left_out
        }
        offset = film.begin * film.time_base + Fraction(start)
        until = None if end is None else film.begin * film.time_base + Fraction(end)
        if film.container:
            output.metadata.update(without(film.container.metadata, _OF_THE_CONTAINER))
            output.set_chapters(_chapters(film, offset, until))
        packets = heapq.merge(
            _pictures(parts, picture, film, offset),
            _others(film, copied, offset, start, until),
            key=lambda pair: pair[0].dts * pair[0].time_base,
        )
        if damaged := _mux(output, packets):
            tell(
                f"warning: {printable(film.path)} has {damaged} damaged packets of audio or subtitles: they "
                "are left out."
            )


def lost_metadata(film: Any, written: Path, target: Path, plan: Plan) -> list[str]:
    """A warning about the metadata that the new film does not hold, because its container has no place.

    Args:
        film: the source, from film_reading.opened.
        written: path of the new film.
        target: path that the new film gets.
        plan: from film_streams.plan.

    Returns:
        A sentence; none if all metadata are there.
    """
    if not film.container:
        return []
    with open_container(written, metadata_errors="replace") as new:
        names = {name.lower() for name in new.metadata}
        values = {value for stream in new.streams for value in stream.metadata.values()}
    of_the_film = without(film.container.metadata, _OF_THE_CONTAINER).items()
    lost = {name for name, value in of_the_film if value and name.lower() not in names}
    for stream in [film.stream, *(stream for stream in others(film) if stream.index not in plan.left_out)]:
        if not is_cover(stream) and stream.type != "attachment":
            told = without(stream.metadata, OF_THE_STREAM | _SET_BY_FFMPEG).items()
            # A title can have another name in the new container, so values are compared
            lost |= {name for name, value in told if value not in ("", "und", *values)}
    if not lost:
        return []
    return [
        f"warning: {printable(target)} cannot hold these metadata of {printable(film.path)}: "
        f"{', '.join(map(printable, sorted(lost)))}. They are left out."
    ]


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
    """(packet, None) of the pictures, one a frame, at the times of the frames minus `offset`."""
    zero = round(offset / film.time_base)
    pairs = itertools.pairwise(itertools.chain(parts.packets(), [(None, film.end)]))
    for (packet, time), (_, after) in pairs:
        packet.stream, packet.time_base = stream, film.time_base
        packet.pts = packet.dts = time - zero
        packet.duration = max(1, after - time)
        yield packet, None


def _others(film, targets, offset, start, end) -> Iterator[tuple[Any, Target]]:
    """(packet of another stream of the film, the Target that takes it), at the times of the new film."""
    import av

    wanted = [old for old in others(film) if old.index in targets and old.type != "attachment"]
    if not wanted:
        return
    try:
        for packet in film.container.demux(wanted):
            if packet.size and _moved(packet, offset, start, end):
                yield packet, targets[packet.stream.index]
    except av.error.FFmpegError:  # the file cannot be read beyond this place; Film.warnings reports this
        return


def _moved(packet, offset, start, end):
    """Move a packet to its time in the new film. Returns whether it belongs there."""
    if is_cover(packet.stream):
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
    """Write packets; returns the number of those that cannot be converted, or that the container refuses."""
    import av

    damaged = 0
    for packet, target in packets:
        try:
            output.mux([packet] if target is None else target.taken(packet))
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):  # the disk is full, for example
                raise
            damaged += 1
    return damaged
