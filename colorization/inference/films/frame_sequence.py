"""Films as folders or patterns of pictures, one file a frame."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorization.core.errors import InputError, printable
from colorization.inference.films.containers import open_container

_SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dpx", ".exr", ".tga", ".jp2", ".j2k"),
    *(".pgm", ".ppm", ".pnm", ".sgi"),
}
_NUMBER = re.compile(r"%0?(\d*)d")  # of the C function printf, as FFmpeg takes it


class FrameSequence:
    """A folder or pattern of pictures, as an open film; see film_reading.Film for the attributes."""

    container = None
    aspect = None
    begin = 0

    def __init__(self, source: Path, fps: Fraction | None):
        if fps is None:
            raise InputError(
                f"{printable(source)} holds single frames: give their number per second with --fps."
            )
        self.path, self.files = source, files(source)
        if not self.files:
            raise InputError(f"{printable(source)} holds no frames: give another folder or pattern.")
        self.rate, self.time_base = fps, 1 / fps
        self.end = 0
        self._lost: list[str] = []
        self._number_lost = 0

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self.files)

    @property
    def seconds(self) -> float:
        """The duration."""
        return float(len(self.files) / self.rate)

    def seconds_of(self, time: int) -> float:
        """Convert a time to seconds.

        Args:
            time: number of a frame, from 0.

        Returns:
            Seconds from the beginning of the film.
        """
        return float(time / self.rate)

    def decoded(self, start: float = 0.0) -> Iterator[Any]:
        """Decode the frames. A frame that cannot be read is replaced by the frame before it.

        Args:
            start: seconds from the beginning.

        Yields:
            PyAV's VideoFrame; `pts` is the number of the frame.
        """
        self._lost, self._number_lost = [], 0
        last, begin = None, int(start * self.rate)
        early = 0  # frames before the first readable one
        for number, path in enumerate(self.files[begin:], start=begin):
            found = _picture(path)
            if found is None:
                self._number_lost += 1
                self._lost = [*self._lost, printable(path.name)][:5]
            last = found or last
            if last is None:
                early += 1
                continue
            for time in range(number - early, number + 1):
                last.pts, last.time_base, self.end = time, self.time_base, time + 1
                yield last
            early = 0

    def warnings(self, *, whole: bool = True) -> list[str]:
        """Sentences about the damage that `decoded` found.

        Args:
            whole: has no effect; see film_reading.Film.warnings.

        Returns:
            Sentences for the user; empty without damage.
        """
        if not self._number_lost:
            return []
        more = self._number_lost - len(self._lost)
        names = ", ".join(self._lost) + (f" and {more} more" if more else "")
        return [
            f"{printable(self.path)} has {self._number_lost} frames that cannot be read ({names}): each is "
            "replaced by the frame before it."
        ]


def recognizes(source: Path) -> bool:
    """Whether a path is a folder or a pattern of frames.

    Args:
        source: path of a film, a folder or a pattern.

    Returns:
        True for a folder, and for a name with %d or * that is no file.
    """
    return source.is_dir() or (
        not source.exists() and bool(_NUMBER.search(source.name) or "*" in source.name)
    )


def files(source: Path) -> list[Path]:
    """The files of a folder or a pattern.

    Args:
        source: path of a folder, or a pattern such as `frame-%04d.png` or `*.tif`.

    Returns:
        Paths in the order of the numbers in their names.
    """
    folder = source if source.is_dir() else source.parent
    named = _matcher(source)
    found = [path for path in folder.iterdir() if named(path) and path.is_file()] if folder.is_dir() else []
    return sorted(found, key=lambda path: [int(part) if part.isdecimal() else part for part in _parts(path)])


def _parts(path):
    """Texts and numbers of a name in turn; 2 comes before 10."""
    return re.split(r"(\d+)", path.name)


def _is_hidden(path):
    """Whether a file is hidden, such as those that a Mac writes beside each file of other disks."""
    return path.name.startswith(".")


def _matcher(source):
    """Whether a file is a frame, as a function of its path."""
    if source.is_dir():
        return lambda path: path.suffix.lower() in _SUFFIXES and not _is_hidden(path)
    if "*" in source.name:
        return lambda path: path.match(source.name) and _is_hidden(path) == _is_hidden(source)
    number = _NUMBER.search(source.name)
    digits = rf"\d{{{number[1]},}}" if number[1] else r"\d+"
    name = re.compile(
        re.escape(source.name[: number.start()]) + digits + re.escape(source.name[number.end() :])
    )
    return lambda path: name.fullmatch(path.name)


def _picture(path):
    """The first frame of a file; None if it cannot be read."""
    import av

    try:
        with open_container(path) as container:
            return next(container.decode(video=0), None)
    except (av.error.FFmpegError, IndexError):
        return None
