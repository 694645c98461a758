"""`colorize image`: color image files and folders of them."""

import argparse
import contextlib
import functools
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

from colorization import inference  # a lazy package: hints import SciPy
from colorization.cli.image_targets import STANDARD, plan
from colorization.core import image_files, image_formats
from colorization.core.atomic_io import system_message
from colorization.core.errors import InputError, PartialError, lacks_memory, printable
from colorization.core.pictures import MAX_PIXELS, open_picture
from colorization.inference import loading
from colorization.inference.extras import Extras
from colorization.inference.picture_files import colorize_file
from colorization.inference.rendering import Rendering


def run(arguments: argparse.Namespace) -> None:
    """Color all pictures. One that fails does not stop the others.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: no picture could be colored, or an option is not usable.
    """
    output = arguments.output
    if output is None and STANDARD in arguments.paths:
        output = STANDARD
    extras = Extras(arguments.compare, arguments.confidence, arguments.samples)
    targets = plan(arguments.paths, output, _FORMATS.get(arguments.format), extras)
    unreadable = [path for path, reason in targets.skipped.items() if reason in _FAILURES]
    pictures = _wanted(targets.pictures, extras, arguments)
    if STANDARD in pictures.values() and sys.stdout is None:
        raise InputError("Standard output is closed: name a file with -o.")
    content = _standard_input() if STANDARD in pictures else b""
    hints = _hints(arguments, len(targets.pictures))
    model = loading.load(
        arguments.model,
        decoding=arguments.decoding,
        temperature=arguments.temperature,
        working_size=arguments.working_size,
        rendering=Rendering(
            arguments.upsampling or loading.DEFAULT.upsampling,
            arguments.quality,
            not arguments.no_borders,
            arguments.restore_contrast,
            arguments.saturation,
        ),
    )
    if arguments.upsampling:
        model.check_upsampling()
    if hints:
        model.check_hints()
    if extras.confidence or extras.samples:
        model.check_distribution()
    failures = [*targets.refused, *map(_why_unreadable, unreadable)]
    jobs = arguments.jobs or os.cpu_count() or 1
    failures += _color_all(pictures, _colorizer(model, hints, extras, arguments, content), jobs)
    for sentence in image_files.tell_skipped(targets.skipped, targets.folder / image_files.SKIPPED_FILES):
        print(sentence, file=sys.stderr)
    if failures:
        inputs = len(targets.pictures) + len(targets.refused) + len(unreadable)
        kind = PartialError if len(failures) < inputs else InputError
        raise kind("\n       ".join(failures))


_FAILURES = (image_files.UNREADABLE, image_files.FOLDER_UNREADABLE)
_FORMATS = {"jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "webp": "WEBP", "avif": "AVIF"}
"""Name of --format -> Pillow's name."""


def _wanted(pictures, extras, arguments):
    """The pictures to color now. Raises InputError if a result exists and no option says what to do."""
    existing = {
        source: found
        for source, target in pictures.items()
        if target != STANDARD
        for found in (target, *extras.paths(target))
        if found.exists()
    }
    if existing and not (arguments.overwrite or arguments.resume):
        raise InputError(
            f"{printable(next(iter(existing.values())))} already exists: pass --overwrite or --resume, or "
            "choose another name with -o."
        )
    if arguments.resume:
        return {
            source: target
            for source, target in pictures.items()
            if target == STANDARD or not all(path.exists() for path in (target, *extras.paths(target)))
        }
    return pictures


def _standard_input():
    """All bytes of standard input. Ctrl-C would not end the reading by a thread."""
    if sys.stdin is None:
        raise InputError("Standard input is closed: name a file, or send a picture through a pipe.")
    return sys.stdin.buffer.read()


def _why_unreadable(path):
    """The sentence about a file or folder that cannot be read."""
    try:
        if path.is_dir():
            list(path.iterdir())
        else:
            open_picture(path)
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"{printable(path)} cannot be read: {system_message(error)}."
    return f"{printable(path)} could not be read: run the command again, with --resume."


def _hints(arguments, count):
    """The color hints, which are for one picture."""
    if not (arguments.hint or arguments.hints):
        return []
    if count > 1:
        raise InputError("Color hints are for one picture: name one file.")
    found = [inference.hints.parse(text) for text in arguments.hint]
    return found + (inference.hints.read(arguments.hints) if arguments.hints else [])


def _colorizer(model, hints, extras, arguments, content) -> Callable[..., list[str]]:
    """Function that colors one file, or the content of standard input, and returns its warnings."""
    limit = MAX_PIXELS if arguments.max_pixels is None else arguments.max_pixels

    def color(source: Path, target: Path, tell: Callable[[int, int, str], None]) -> list[str]:
        name = "standard input" if source == STANDARD else None
        given = content if source == STANDARD else source
        format = _FORMATS.get(arguments.format)
        place: Any = target
        if target == STANDARD:
            place, format = sys.stdout.buffer, format or "PNG"
        elif arguments.resume and target.exists():
            # The result stays, and only the missing further pictures are written
            place, format = io.BytesIO(), image_formats.output_format(target.suffix)
        return colorize_file(
            functools.partial(model.colorize, hints=hints),
            given,
            place,
            format=format,
            name=name,
            max_pixels=limit,
            tell=tell,
            further=functools.partial(extras.draw, model, target, keep=arguments.resume),
        )

    return color


def _color_all(pictures, color, jobs) -> list[str]:
    """Color files, several at once, and tell of each. Returns the sentences of failures."""
    failures = []
    with _finished(pictures, color, jobs) as finished:
        for (source, target), future in finished:
            try:
                warnings = future.result()
            except InputError as error:
                failures.append(str(error))
                continue
            except Exception as error:
                if not lacks_memory(error):
                    raise
                failures.append(
                    f"{printable(source)} needs more memory than there is: use fewer --jobs or a smaller "
                    "--working-size."
                )
                continue
            for sentence in warnings:
                tqdm.write(f"warning: {printable(source)}: {sentence}", file=sys.stderr)
            if target != STANDARD:
                tqdm.write(printable(target))
    return failures


@contextlib.contextmanager
def _finished(pictures, color, jobs) -> Iterator[Iterator[tuple[tuple[Path, Path], Future]]]:
    """Start the work, and yield ((source, target), Future) of each picture when it is done."""
    pool = ThreadPoolExecutor(min(jobs, max(1, len(pictures))), thread_name_prefix="pictures")
    bar = tqdm(total=len(pictures), unit=" pictures", delay=1, disable=None, leave=len(pictures) > 1)
    tell = _steps(bar) if len(pictures) == 1 else _nothing
    futures = {
        pool.submit(color, source, target, tell): (source, target) for source, target in pictures.items()
    }

    def done():
        for future in as_completed(futures):
            bar.update()
            yield futures[future], future

    ended = threading.Event()
    beat = threading.Thread(target=_refresh, args=(bar, ended), daemon=True)
    beat.start()
    try:
        yield done()
    finally:
        ended.set()
        pool.shutdown(cancel_futures=True)
        beat.join()
        bar.close()


def _steps(bar) -> Callable[[int, int, str], None]:
    """Function that shows the steps of one picture."""

    def tell(done: int, total: int, step: str) -> None:
        bar.total, bar.n, bar.unit = total, done, " steps"
        bar.set_description_str(step, refresh=False)

    return tell


def _nothing(done: int, total: int, step: str) -> None:
    """Several pictures are counted; their steps are not shown."""


def _refresh(bar, ended) -> None:
    """Show the time that passes, also while nothing is finished."""
    while not ended.wait(1):
        bar.refresh()
