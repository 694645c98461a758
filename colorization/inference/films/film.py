"""Color films. The times of the frames stay, and so do all other streams of the container."""

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from colorization.core.atomic_io import replacing
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.inference.canvas import Canvas
from colorization.inference.films import film_frames, film_parts, film_streams, film_writing, frame_sequence
from colorization.inference.films.film_frames import Picture
from colorization.inference.films.film_pipeline import ahead
from colorization.inference.films.film_reading import opened
from colorization.inference.films.film_streams import SUFFIXES
from colorization.inference.films.temporal_smoothing import KeyframeColors, Predict
from colorization.inference.rendering import PLAIN, Rendering

__all__ = [
    "INTERVAL",
    "SUFFIXES",
    "Settings",
    "check",
    "color",
    "default_target",
    "rendered",
    "size",
]

INTERVAL = 8
"""Frames from one prediction of color to the next."""


@dataclass(frozen=True)
class Settings:
    """What to color of a film, and how.

    Attributes:
        start: beginning of the part to color, in seconds.
        end: end of the part, in seconds; None is the end of the film.
        fps: frames per second of a folder or pattern of frames; None for films.
        interval: frames from one prediction of color to the next; 1 predicts the color of each frame.
        smooth: False leaves each predicted color as it is.
        deinterlace: False leaves interlaced frames as they are.
        rendering: upsampling and saturation of each frame; its other fields are for photographs.
    """

    start: float = 0.0
    end: float | None = None
    fps: Fraction | None = None
    interval: int = INTERVAL
    smooth: bool = True
    deinterlace: bool = True
    rendering: Rendering = PLAIN


def tell(sentence: str) -> None:
    """Print a sentence above the progress bar, to standard error.

    Args:
        sentence: the text.
    """
    tqdm.write(sentence, file=sys.stderr)


def size(source: StrPath, settings: Settings = Settings()) -> tuple[int, int]:
    """The size of a film's frames as they are stored.

    Args:
        source: path of a film that FFmpeg reads, or of a folder or a pattern of frames.
        settings: see Settings; its start selects the frame.

    Returns:
        (height, width) in pixels.

    Raises:
        InputError: the source is not a film, or has no readable frame in this part.
    """
    with opened(source, settings.fps) as film:
        for frame in film.decoded(settings.start):
            return frame.height, frame.width
        raise film_frames.without_frames(film, settings.start)


def color(
    source: StrPath,
    target: StrPath,
    predict: Predict,
    key: str,
    settings: Settings = Settings(),
    *,
    tell: Callable[[str], None] = tell,
) -> None:
    """Color a film.

    If the work is interrupted, the next call with the same arguments continues after the last finished part.
    The picture is encoded as H.264 (x264, preset faster, constant rate factor 18) with 4:2:0 chroma. It has
    10 bits if the source has more than 8. All other streams are copied.

    Args:
        source: path of a film that FFmpeg reads, or of a folder or a pattern of frames.
        target: path of the new film, with one of SUFFIXES. It is written completely or not at all.
        predict: function of (N, H, W) float32 lightness, 0..100, that returns (N, h, w, 2) float32 ab of any
            size, such as `predict_ab` of a Colorizer or ChosenModel.
        key: text that identifies the colorizer. Finished parts with another key are not used.
        settings: see Settings.
        tell: function that takes warnings, one sentence each.

    Raises:
        InputError: the source is not a film, or the target cannot be written or cannot hold its audio, or
            another process colors the same film.
    """
    source, target = Path(source), Path(target)
    check(source, target)
    with opened(source, settings.fps) as film:
        plan = film_streams.plan(film, target)
        for sentence in film_streams.left_out(film, target, plan):
            tell(sentence)
        origin = [*_origin(source), key, str(settings), str(film.rate)]
    parts = film_parts.Parts(target, origin, _part_length(settings))
    with parts.locked():
        try:
            parts.prepare()
            end = _color_parts(source, parts, predict, settings, tell)
        finally:
            parts.delete_if_empty()
        with replacing(target) as temporary, opened(source, settings.fps) as film:
            film.end = end
            film_writing.join(
                film, parts, temporary, plan=plan, start=settings.start, end=settings.end, tell=tell
            )
            for sentence in film_writing.lost_metadata(film, temporary, target, plan):
                tell(sentence)
        parts.delete()


def rendered(rgb: np.ndarray, ab: np.ndarray, rendering: Rendering) -> np.ndarray:
    """A frame with predicted colors and its own lightness.

    Args:
        rgb: (H, W, 3) uint8 or uint16.
        ab: (h, w, 2) float32, of any size.
        rendering: see Settings.

    Returns:
        (H, W, 3) of the same dtype.
    """
    canvas = Canvas(rgb, rendering._replace(borders=False))
    return canvas.render(canvas.lightness(ab.shape[:2]), ab)


def check(source: StrPath, target: Path) -> None:
    """Refuse a path to which a film cannot be written.

    Args:
        source: path of the film to color.
        target: path of the new film.

    Raises:
        InputError: the suffix of the target is not one of SUFFIXES, or the target is the source or a folder.
    """
    if target.is_dir():
        raise InputError(f"{printable(target)} is a folder: give the name of a film with -o.")
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{printable(target)} cannot be written: the name of a film ends in {', '.join(SUFFIXES)}."
        )
    refuse_source(source, target)


def refuse_missing(source: Path) -> None:
    """Refuse a path at which there is no film.

    Args:
        source: path of the film, of a folder of frames, or a pattern of frames.

    Raises:
        InputError: the path does not exist and is not a pattern.
    """
    if not source.exists() and not frame_sequence.recognizes(source):
        raise InputError(f"{printable(source)} is not found: give the path of a film or of its frames.")


def refuse_source(source: StrPath, target: Path) -> None:
    """Refuse a target that is the same file as the source or one of its frames, also under another name.

    Args:
        source: path of the film to color, or of a folder or a pattern of frames.
        target: path of the file to write.

    Raises:
        InputError: both are the same file.
    """
    if any(target.exists() and file.exists() and target.samefile(file) for file in _files(Path(source))):
        raise InputError(f"{printable(target)} belongs to the film to color: give another name with -o.")


def default_target(source: Path, ending: str = "-colorized.mkv") -> Path:
    """The name of the new film beside the source: film-colorized.mkv of film.mp4.

    Args:
        source: path of the film, of a folder of frames, or a pattern of frames.
        ending: of the name.

    Returns:
        Path of the new film.

    Raises:
        InputError: the source has no name.
    """
    is_pattern = frame_sequence.recognizes(source) and not source.is_dir()
    named = source.parent if is_pattern else source  # a pattern has the name of its folder
    named = named.resolve() if named.name in ("", ".", "..") else named
    if not named.name:  # the root of the file system
        raise InputError(f"{printable(source)} has no name for the new film: give one with -o.")
    return named.with_name((named.name if named.is_dir() else named.stem) + ending)


def _origin(source):
    """The identity of a source: its path, and the sizes and times of change of its files."""
    stamps = [(file.name, file.stat()) for file in _files(source)]
    return [str(source.resolve()), *[(name, stamp.st_size, stamp.st_mtime_ns) for name, stamp in stamps]]


def _files(source):
    """The files of a film: itself, or its frames."""
    return frame_sequence.files(source) if frame_sequence.recognizes(source) else [source]


def _part_length(settings):
    """Frames in a part: a multiple of the interval, so that each part begins with a keyframe."""
    return settings.interval * max(1, film_parts.FRAMES // settings.interval)


def _color_parts(source, parts, predict, settings, tell):
    """Color all parts that are not finished. Returns the time at which the last frame ends."""
    with opened(source, settings.fps) as film:
        properties = film_frames.examine(film, settings.start)
    for sentence in _notices(source, properties, settings):
        tell(sentence)
    length, finished = _part_length(settings), parts.finished()
    colors = KeyframeColors(predict, interval=settings.interval, smooth=settings.smooth, state=parts.state())
    with opened(source, settings.fps) as film:
        total = _expected_frames(film, settings)
        with (
            ahead(_pictures(film, properties, settings, finished * length)) as pictures,
            ahead(colors.of(pictures)) as colored,
            ahead(_composed(colored, settings.rendering)) as composed,
            tqdm(total=total, initial=finished * length, unit=" frames") as bar,
        ):
            for number in itertools.count(finished):
                first = next(composed, None)
                if first is None:
                    break
                part = _Part(itertools.chain([first], itertools.islice(composed, length - 1)), bar)
                parts.write(number, part, properties, part.state)
        for sentence in film.warnings(whole=settings.end is None and not settings.start):
            tell(f"warning: {sentence}")
        if not parts.finished():
            raise film_frames.empty_part(source)
        return film.end


class _Part:
    """A part's pictures, for one iteration. `state` returns the state after the last one."""

    def __init__(self, items, bar):
        self._items, self._bar, self._state = items, bar, {}

    def __iter__(self):
        for picture, state in self._items:
            self._state = state
            yield picture
            self._bar.update()

    def state(self):
        return self._state


def _pictures(film, properties, settings, skipped):
    """The pictures to color, without the first ones, which are finished."""
    found = film_frames.pictures(
        film, properties, start=settings.start, end=settings.end, deinterlace=settings.deinterlace
    )
    return itertools.islice(found, skipped, None)


def _composed(colored, rendering) -> Iterator[tuple[Picture, dict[str, Any]]]:
    """The pictures in color, each with the state after it."""
    for picture, ab, state in colored:
        yield Picture(picture.time, rendered(picture.rgb, ab, rendering)), state


def _expected_frames(film, settings):
    """The number of frames for the progress bar; None if it is unknown."""
    if film.frames and not settings.start and settings.end is None:
        return film.frames
    if film.seconds is None:
        return None
    seconds = min(settings.end or film.seconds, film.seconds) - settings.start
    return max(1, round(seconds * film.rate))


def _notices(source, properties, settings):
    """Sentences about the changes to a film."""
    name = printable(source)
    if properties.flagged or properties.combed:
        done = "its frames are deinterlaced. --no-deinterlace leaves them as they are"
        left = "its frames are left as they are"
        yield f"{name} is interlaced: {done if settings.deinterlace else left}."
    if properties.wide:
        yield f"{name} is HDR ({properties.wide}): it is converted to SDR (BT.709)."
    if properties.height % 2 or properties.width % 2:
        yield (
            f"{name} has the odd size {properties.width} x {properties.height}: players need an even one, so "
            "the last row or column is repeated."
        )
