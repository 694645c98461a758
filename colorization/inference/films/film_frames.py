"""The frames of a film as arrays: deinterlaced, in sRGB, upright and all of one size, by FFmpeg's filters."""

import collections
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath

_EXAMINED = 120  # frames from which combing is detected
_COMBED_SHARE = 4  # least ratio of combed to progressive frames in an interlaced film without flags
_IDET = "lavfi.idet.multiple.current_frame"  # key of the verdict of FFmpeg's filter idet
_BT709, _BT2020, _UNKNOWN = 1, (9, 10), 2  # FFmpeg's numbers of color spaces (9 is also that of primaries)
_HDR = {16: "PQ", 18: "HLG"}  # FFmpeg's numbers of transfer functions
_HD = 720  # least height of an untagged film that is taken as BT.709, as in players
_FLAGS = "bicubic+accurate_rnd+full_chroma_int"
# Counterclockwise degrees: filters. Mirroring is not detected, because it stands in the side data. PyAV
# crashes on reading side data of unknown kinds, such as EXIF.
_TURNED = {90: ["transpose=cclock"], 180: ["hflip", "vflip"], 270: ["transpose=clock"]}


@dataclass(frozen=True)
class Properties:
    """Properties of a film, known from its first frames.

    Attributes:
        height: of a frame as it is shown, in pixels.
        width: of a frame as it is shown, in pixels.
        bits: of a sample: 8, or 16 for sources with more than 8.
        rate: mean number of frames per second.
        aspect: width of a shown pixel over its height; None if it is unknown.
        primaries: FFmpeg's number of the color primaries of the result.
        transfer: FFmpeg's number of the transfer function of the result.
        stored: (height, width) of the first frame as it is stored.
        upright: filters that turn a stored frame upright.
        wide: name of the HDR or wide-gamut color space that is converted; "" if there is none.
        flagged: whether a frame says that it is interlaced.
        combed: whether frames without such a flag are interlaced.
    """

    height: int
    width: int
    bits: int
    rate: Fraction
    aspect: Fraction | None
    primaries: int
    transfer: int
    stored: tuple[int, int]
    upright: tuple[str, ...]
    wide: str
    flagged: bool
    combed: bool


class Picture(NamedTuple):
    """A frame of a film.

    Attributes:
        time: in the time base of the film.
        rgb: (H, W, 3) uint8 or uint16.
    """

    time: int
    rgb: np.ndarray


def examine(film: Any, start: float = 0.0) -> Properties:
    """Decode the first frames of a film.

    Args:
        film: from film_reading.opened. It cannot be used for anything else afterwards.
        start: first moment, in seconds from the beginning.

    Returns:
        Properties.

    Raises:
        InputError: no frame can be decoded.
    """
    frames = itertools.islice(film.decoded(start), _EXAMINED)
    first = next(frames, None)
    if first is None:
        raise without_frames(film, start)
    detector, flagged, found = _Graph(first, film.time_base, ["idet"]), False, collections.Counter[str]()
    for frame in itertools.chain([first], frames):
        flagged |= frame.interlaced_frame
        if detector.takes(frame):
            found.update(seen.metadata[_IDET] for seen in detector.filtered(frame) if _IDET in seen.metadata)
    combed = found["tff"] + found["bff"] > _COMBED_SHARE * found["progressive"]
    return _properties(first, film, flagged, combed and not flagged)


def without_frames(film: Any, start: float) -> InputError:
    """The error for a film without frames from a moment on.

    Args:
        film: from film_reading.opened.
        start: in seconds from the beginning.

    Returns:
        InputError.
    """
    if start:
        return empty_part(film.path)
    return InputError(f"{printable(film.path)} has no readable frame: give another film.")


def empty_part(path: StrPath) -> InputError:
    """The error for a part without frames.

    Args:
        path: of the film.

    Returns:
        InputError.
    """
    return InputError(f"{printable(path)} has no frames in this part: change --start or --end.")


def pictures(
    film: Any,
    properties: Properties,
    *,
    start: float = 0.0,
    end: float | None = None,
    deinterlace: bool = True,
) -> Iterator[Picture]:
    """All pictures of a film, or of a part of it.

    Args:
        film: from film_reading.opened.
        properties: from `examine`.
        start, end: the part, in seconds from the beginning; None is the end of the film.
        deinterlace: False leaves interlaced frames as they are.

    Yields:
        Picture, in order of time.

    Raises:
        InputError: this FFmpeg cannot convert the film's HDR to SDR.
    """
    try:
        for frame in _filtered(film, properties, start, end, deinterlace):
            time = round(frame.pts * frame.time_base / film.time_base)
            if film.seconds_of(time) >= start:
                yield Picture(time, frame.to_ndarray())
    except (ValueError, NotImplementedError):  # from FFmpeg, for an unknown option or conversion
        if not properties.wide:
            raise
        raise InputError(
            f"{printable(film.path)} is HDR ({properties.wide}), and this FFmpeg cannot convert it: install "
            "a newer PyAV with pip install --upgrade av, or give the film in SDR."
        ) from None


def _filtered(film, properties, start, end, deinterlace):
    """The frames after all filters, from about `start` on."""
    graph = None
    for frame in film.decoded(start):
        if end is not None and film.seconds_of(frame.pts) >= end:
            film.end = frame.pts
            break
        if graph is None or not graph.takes(frame):
            if graph is not None:
                yield from graph.filtered(None)
            graph = _Graph(frame, film.time_base, _filters(frame, properties, deinterlace))
        yield from graph.filtered(frame)
    if graph is not None:
        yield from graph.filtered(None)


def _filters(frame, properties, deinterlace):
    """The filters for frames such as this one."""
    found = []
    if deinterlace:
        found.append(f"bwdif=mode=send_frame:deint={'all' if properties.combed else 'interlaced'}")
    height, width = properties.stored
    scale = f"scale={width}:{height}:flags={_FLAGS}"
    if properties.wide:
        scale += ":out_primaries=bt709:out_transfer=bt709:intent=perceptual"
    elif frame.colorspace == _UNKNOWN and frame.height >= _HD:
        scale += ":in_color_matrix=bt709"
    return [*found, scale, *properties.upright, f"format={_format(properties.bits)}"]


def _format(bits):
    return "rgb24" if bits == 8 else "rgb48le"


def _properties(frame, film, flagged, combed):
    aspect = film.aspect
    bits = 16 if max(component.bits for component in frame.format.components) > 8 else 8
    upright = _TURNED.get(frame.rotation % 360, [])
    turned = any(name.startswith("transpose") for name in upright)
    wide = _HDR.get(frame.color_trc, "")
    if not wide and (frame.color_primaries == _BT2020[0] or frame.colorspace in _BT2020):
        wide = "BT.2020"
    known = not wide and _UNKNOWN not in (frame.color_primaries, frame.color_trc)
    return Properties(
        height=frame.width if turned else frame.height,
        width=frame.height if turned else frame.width,
        bits=bits,
        rate=film.rate,
        aspect=1 / aspect if aspect and turned else aspect,
        primaries=(frame.color_primaries or _BT709) if known else _BT709,
        transfer=(frame.color_trc or _BT709) if known else _BT709,
        stored=(frame.height, frame.width),
        upright=tuple(upright),
        wide=wide,
        flagged=flagged,
        combed=combed,
    )


class _Graph:
    """A chain of FFmpeg's filters.

    Args:
        frame: a frame of the size and format that the chain takes.
        time_base: of the frames.
        filters: FFmpeg's names of the filters with their options.
    """

    def __init__(self, frame: Any, time_base: Fraction, filters: list[str]):
        from av.filter import Graph

        self._kind = self._kind_of(frame)
        graph = Graph()
        height, width, name, colorspace, color_range = self._kind
        source = graph.add(
            "buffer",
            f"video_size={width}x{height}:pix_fmt={name}:time_base={time_base.numerator}/{time_base.denominator}"
            f":colorspace={colorspace}:range={color_range}",
        )
        nodes = [graph.add(*text.split("=", 1)) for text in filters]
        graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
        self._graph, self._source = graph, source

    def takes(self, frame: Any) -> bool:
        """Whether a frame has the size and format of this chain."""
        return self._kind_of(frame) == self._kind

    def filtered(self, frame: Any) -> Iterator[Any]:
        """Push a frame, None at the end, and yield the finished frames."""
        from av.error import BlockingIOError, EOFError

        self._source.push(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (BlockingIOError, EOFError):
                return

    @staticmethod
    def _kind_of(frame):
        return frame.height, frame.width, frame.format.name, frame.colorspace, frame.color_range
