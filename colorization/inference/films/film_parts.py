"""The finished parts of an unfinished film, in a hidden folder beside it."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from filelock import Timeout

from colorization.core import file_lock
from colorization.core.atomic_io import (
    refuse_unwritable,
    remove_unfinished,
    replacing,
    system_message,
    write_text,
)
from colorization.core.errors import InputError, printable
from colorization.inference.films.containers import open_container
from colorization.inference.films.film_frames import Picture, Properties

FRAMES = 240  # in one part: an interruption loses the work on at most one part
# stitchable and bframes=0 let parts be joined: no frame refers to a later one, and all headers are equal
_X264 = {"crf": "18", "preset": "faster", "x264-params": "stitchable=1:bframes=0"}
_BT709, _STUDIO = 1, 1  # FFmpeg's numbers of the color matrix and of the range that films have


class Parts:
    """The folder with the parts of a film: for each part a film, its times, and the state after it.

    Args:
        target: path of the finished film.
        origin: values that identify the source, the colorizer and the settings. Parts of another origin are
            deleted.
        frames: number of frames in a part.
    """

    def __init__(self, target: Path, origin: list, frames: int):
        self.folder = target.parent / f".{target.name}.parts"
        self._target = target
        self._digest = hashlib.sha256(json.dumps([*origin, frames, _X264]).encode()).hexdigest()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away from the parts while the block makes the film.

        Yields:
            None.

        Raises:
            InputError: another process makes the same film, or the folder of the film cannot be written.
        """
        refuse_unwritable(self.folder.parent)
        path, name = self._target.with_name(f".{self._target.name}.lock"), printable(self._target)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = file_lock.acquire(path)
        except Timeout:
            raise InputError(
                f"{name} is already being colored by another process: wait until it ends, or give another "
                "name with -o."
            ) from None
        except OSError as error:
            raise InputError(f"{name} cannot be written: {system_message(error)}.") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            lock.release()

    def prepare(self) -> None:
        """Make the folder, or empty it of parts of another origin and of half-written files."""
        kept = self.folder / "origin"
        if not kept.exists() or kept.read_text() != self._digest:
            shutil.rmtree(self.folder, ignore_errors=True)
            write_text(kept, self._digest)
        remove_unfinished(self.folder)

    def finished(self) -> int:
        """The number of finished parts, counted from the beginning of the film."""
        number = 0
        while self._film(number).exists() and self._times(number).exists():
            number += 1
        return number

    def state(self) -> dict[str, np.ndarray]:
        """The arrays that `write` stored with the last finished part; empty if there is no part."""
        path = self._state(self.finished() - 1)
        if not path.exists():
            return {}
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)

    def write(
        self,
        number: int,
        pictures: Iterable[Picture],
        properties: Properties,
        state: Callable[[], dict[str, np.ndarray]],
    ) -> None:
        """Write a part.

        Args:
            number: of the part.
            pictures: its colored pictures.
            properties: of the film.
            state: function that returns {name: array}, for `state`; called after the last picture.
        """
        times: list[int] = []
        with replacing(self._film(number)) as film:
            _encode(_noting(pictures, times), properties, film)
            with replacing(self._state(number)) as path, path.open("wb") as file:
                np.savez(file, **state())  # type: ignore[arg-type]
            with replacing(self._times(number)) as path, path.open("wb") as file:
                np.save(file, np.array(times, np.int64))
        for older in set(self.folder.glob("*.npz")) - {self._state(number)}:
            older.unlink()

    def films(self) -> list[Path]:
        """Paths of the finished parts."""
        return [self._film(number) for number in range(self.finished())]

    def packets(self) -> Iterator[tuple[Any, int]]:
        """(PyAV's packet, its time) of each frame of all finished parts."""
        for number in range(self.finished()):
            times = np.load(self._times(number), allow_pickle=False).tolist()
            with open_container(self._film(number)) as container:
                packets = (packet for packet in container.demux(video=0) if packet.size)
                yield from zip(packets, times, strict=True)

    def delete(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def delete_if_empty(self) -> None:
        """Delete the folder if it holds no finished part."""
        if not self.finished():
            self.delete()
        else:
            with contextlib.suppress(OSError):
                remove_unfinished(self.folder)

    def _film(self, number):
        return self.folder / f"{number:06d}.mkv"

    def _times(self, number):
        return self.folder / f"{number:06d}.npy"

    def _state(self, number):
        return self.folder / f"{number:06d}.npz"


def _noting(pictures, times):
    """Yield the RGB of the pictures, and add their times to `times`."""
    for picture in pictures:
        times.append(picture.time)
        yield picture.rgb


def _encode(pictures, properties, path):
    """Write (H, W, 3) arrays as H.264 (x264), at the mean rate of the film. `write` stores the times."""
    import av

    with open_container(path, "w", format="matroska") as output:
        encoder = output.add_stream("libx264", rate=properties.rate, options=_X264)
        for i, rgb in enumerate(pictures):
            if not i:
                _prepare(encoder.codec_context, rgb, properties)
            frame = av.VideoFrame.from_ndarray(_even(rgb), "rgb24" if rgb.dtype == np.uint8 else "rgb48le")
            frame = frame.reformat(format=encoder.pix_fmt, dst_colorspace=_BT709, dst_color_range=_STUDIO)
            frame.pts, frame.time_base = i, 1 / properties.rate
            output.mux(encoder.encode(frame))
        output.mux(encoder.encode(None))


def _prepare(context, rgb, properties):
    context.height, context.width = (side + side % 2 for side in rgb.shape[:2])
    context.pix_fmt = "yuv420p" if rgb.dtype == np.uint8 else "yuv420p10le"
    context.colorspace, context.color_range = _BT709, _STUDIO
    context.color_primaries, context.color_trc = properties.primaries, properties.transfer
    if properties.aspect:
        context.sample_aspect_ratio = properties.aspect


def _even(rgb):
    """The picture with an even height and width. An odd side repeats its last row or column."""
    odd = [(0, side % 2) for side in rgb.shape[:2]]
    return np.pad(rgb, [*odd, (0, 0)], mode="edge") if any(map(any, odd)) else np.ascontiguousarray(rgb)
