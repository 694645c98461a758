"""Photographs decoded by processes of their own into one array on the disk, with progress and resume.

Such a process runs `main`. It reads lines of JSON, [row, path], writes each picture into its row, and
answers with a code. multiprocessing would import the main module of the caller again. In a script without a
guard this starts the whole work anew.
"""

import concurrent.futures
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from filelock import FileLock
from tqdm import tqdm

from colorization.core import image_files
from colorization.core.atomic_io import replacing, reserve, system_message
from colorization.core.color_numpy import rgb_to_lab
from colorization.core.errors import InputError, printable
from colorization.datasets.base import to_square

# A picture is gray if fewer of its pixels than this share have more than this chroma, in ab units. A picture
# of one hue counts as colored: a sepia print cannot be distinguished from a bird in the sky.
COLORED_SHARE = 0.02
COLORED_CHROMA = 8.0
GRAY_SIDE = 64  # pixels, of the measured picture, so that the same pictures are gray at every side
GRAY = "gray or nearly gray"

UNKNOWN, KEPT, LEFT_GRAY, LEFT_UNREADABLE = range(4)
REASONS = {LEFT_GRAY: GRAY, LEFT_UNREADABLE: image_files.UNREADABLE}
"""The codes of files: not decoded yet, decoded, and left out for a reason."""

_FEW = 200  # files for each process; fewer are decoded faster without one
_BLOCK = 1000  # files handed out at once
_SAVED_EVERY = 10.0  # seconds: the work that a kill may cost


def is_gray(rgb: np.ndarray) -> bool:
    """Whether a picture is gray, or nearly gray.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        True if fewer than COLORED_SHARE of its pixels have a chroma above COLORED_CHROMA.
    """
    ab = rgb_to_lab(rgb)[..., 1:]
    return bool(np.mean(np.linalg.norm(ab, axis=-1) > COLORED_CHROMA) < COLORED_SHARE)


@contextlib.contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """Hold a hidden folder beside `target` for unfinished work; another process waits.

    The folder is deleted at the end and after an InputError. Any other interruption leaves it for the next
    call.

    Args:
        target: path of the finished file or folder.

    Yields:
        Path of the hidden folder, which exists.

    Raises:
        InputError: the folder cannot be written.
    """
    place, lock = (target.with_name(f".{target.name}{suffix}") for suffix in ("-decoding", ".lock"))
    existed = target.parent.exists()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            place.mkdir(exist_ok=True)
            try:
                yield place
            except InputError:
                shutil.rmtree(place, ignore_errors=True)
                raise
            else:
                shutil.rmtree(place, ignore_errors=True)
            finally:
                lock.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{printable(target)} cannot be written: {system_message(error)}.") from error
    finally:
        if not existed and target.parent.exists() and not any(target.parent.iterdir()):
            target.parent.rmdir()


def decode_all(files: Sequence[Path], side: int, place: Path) -> tuple[np.ndarray, np.ndarray]:
    """Decode all files, each cropped to its central square and resized.

    Args:
        files: image files.
        side: of the pictures.
        place: folder of the work. What an earlier, interrupted call of the same arguments left there is used.

    Returns:
        pictures: uint8 (N, side, side, 3), mapped from the disk; a row that is not KEPT holds nothing.
        codes: (N,) uint8.

    Raises:
        OSError: the folder cannot be written.
    """
    path, codes_path = place / "pictures.npy", place / "codes.npy"
    codes, pictures = _open(path, codes_path, (len(files), side, side, 3))
    todo = np.flatnonzero(codes == UNKNOWN)
    saved = time.monotonic()
    with (
        _decoders(path, pictures, len(todo)) as decode,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(files), initial=len(files) - len(todo), desc="photographs", mininterval=1) as bar,
    ):
        try:
            for start in range(0, len(todo), _BLOCK):
                rows = todo[start : start + _BLOCK].tolist()
                for row, code in zip(rows, pool.map(decode, rows, [files[i] for i in rows]), strict=True):
                    codes[row] = code
                    bar.update()
                if time.monotonic() - saved > _SAVED_EVERY:
                    _save(pictures, codes, codes_path)
                    saved = time.monotonic()
        finally:
            _save(pictures, codes, codes_path)
    return pictures, codes


def _open(path, codes_path, shape):
    """(codes, pictures) of an earlier call, or new ones."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        codes, pictures = np.load(codes_path), np.load(path, mmap_mode="r+")
        if pictures.shape == shape and codes.shape == shape[:1] and codes.dtype == pictures.dtype == np.uint8:
            return codes, pictures
    codes_path.unlink(missing_ok=True)
    pictures = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    with path.open("rb+") as file:
        reserve(file, path.stat().st_size)
    return np.full(len(pictures), UNKNOWN, np.uint8), pictures


def _save(pictures, codes, codes_path):
    """Flush the pictures to the disk, and only then write their codes."""
    pictures.flush()
    with replacing(codes_path) as temporary:
        np.save(temporary, codes)


@contextlib.contextmanager
def _decoders(path, pictures, count):
    """A function of a row and a file, for several threads, that decodes the file and returns its code."""
    number = min(os.cpu_count() or 1, count // _FEW)
    if not number:
        yield lambda row, file: _decode(file, pictures, row)
        return
    idle: queue.Queue[_Process] = queue.Queue()
    processes = [_Process(path) for _ in range(number)]
    for process in processes:
        idle.put(process)

    def decode(row, file):
        process = idle.get()
        try:
            return process.decode(row, file)
        finally:
            idle.put(process)

    try:
        yield decode
    finally:
        for process in processes:
            process.close()


class _Process:
    """A process that decodes. One that is killed by a file is started again."""

    def __init__(self, path: Path):
        self.command = [sys.executable, "-c", f"from {__name__} import main; main()", str(path)]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        self._start()

    def _start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment, text=True
        )

    def decode(self, row: int, file: Path) -> int:
        """The code of a file."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps([row, str(file)]), file=self.process.stdin, flush=True)
        if answer := self.process.stdout.readline():
            return int(answer)
        self.close()
        self._start()
        return LEFT_UNREADABLE

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()


def _decode(file: Path, pictures: np.ndarray, row: int) -> int:
    """Write the picture of a file into its row, unless it is left out; its code."""
    try:
        picture = image_files.read(file)
    except InputError:
        return LEFT_UNREADABLE
    if is_gray(to_square(picture, GRAY_SIDE)):
        return LEFT_GRAY
    pictures[row] = to_square(picture, pictures.shape[1])
    return KEPT


def main() -> None:
    """Answer each line of the input with a code. The end of the input is the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    cv2.setNumThreads(1)
    pictures = np.load(sys.argv[1], mmap_mode="r+")
    for line in sys.stdin:
        row, name = json.loads(line)
        print(_decode(Path(name), pictures, row), flush=True)
