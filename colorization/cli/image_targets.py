"""The names of the pictures that `colorize image` writes."""

import collections
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from colorization.core import image_files, image_formats
from colorization.core.errors import InputError, printable
from colorization.inference.extras import NO_EXTRAS, Extras

STANDARD = Path("-")
"""Stands for standard input and standard output."""

_ADDED = "-colorized"  # to the name of a result beside its source
_FOREIGN = (
    {".exr", ".jxl", ".pdf", ".psd", ".svg", ".tga"} | image_files.PICTURES | image_formats.RAW_SUFFIXES
) - image_formats.OUTPUTS.keys()
"""Suffixes of pictures that are not written. A folder of this name would surprise."""


class Targets(NamedTuple):
    """The files that `colorize image` reads and writes.

    Attributes:
        pictures: {source: target}.
        refused: sentences about folders without images, if there are other paths.
        skipped: {path: reason} of files in folders that are left out.
        folder: for the list of them.
    """

    pictures: dict[Path, Path]
    refused: list[str]
    skipped: dict[Path, str]
    folder: Path


def plan(paths: list[Path], output: Path | None, format: str | None, extras: Extras = NO_EXTRAS) -> Targets:
    """Name the results, before anything slow begins.

    Args:
        paths: files, folders, or STANDARD.
        output: a picture's name for one file, else a folder, or STANDARD; None: beside the sources.
        format: Pillow's name of the format of all results; None keeps each picture's own.
        extras: further pictures of each result.

    Returns:
        Targets.

    Raises:
        InputError: a path or a name is not usable, two results have one name, or a result is a source.
    """
    if any(extras) and (output == STANDARD or (output is None and STANDARD in paths)):
        raise InputError(
            "Standard output holds one picture: name a file with -o for --compare, --confidence or --samples."
        )
    folder = output or next((_beside(path) for path in paths if path.is_dir()), Path())
    targets = Targets({}, [], {}, folder)
    pictures = targets.pictures
    if STANDARD in (*paths, output) or _is_picture(paths, output):
        if len(paths) > 1 or paths[0].is_dir():
            raise InputError("Standard input and output hold one picture: name one file.")
        pictures[paths[0]] = _of_one(output, format)
    else:
        for path in paths:
            pictures |= {
                source: place
                for source, place in _places(path, output, format, targets).items()
                if source not in pictures
            }
    if targets.refused and not pictures:
        raise InputError("\n       ".join(targets.refused))
    _refuse_sources(pictures, extras)
    return targets


def _of_one(output, format):
    """The target of one picture, if it is named, or is standard output."""
    if output in (None, STANDARD):
        return STANDARD
    if output.is_dir():
        raise InputError(f"{printable(output)} is a folder: give the name of a picture with -o.")
    own = image_formats.output_format(output.suffix)
    if format not in (None, own):
        raise InputError(
            f"{printable(output)} is the name of a {own} file: leave --format out, or change -o."
        )
    return output


def _is_picture(paths, output):
    """Whether the output is the name of a picture, not of a folder."""
    if output is None or output.is_dir() or len(paths) > 1 or paths[0].is_dir():
        return False
    suffix = output.suffix.lower()
    if suffix in _FOREIGN:
        image_formats.output_format(suffix)  # refuses it
    return suffix in image_formats.OUTPUTS


def _places(path, output, format, targets):
    """{picture: its result} of a file, or of all pictures in a folder. Notes what the folder lacks."""
    if output is not None and output.exists() and not output.is_dir():
        raise InputError(f"{printable(output)} is not a directory: choose another one with -o.")
    if not path.is_dir():
        if output is None:
            return {path: _beside(path).with_suffix(_suffix(path, format))}
        return {path: output / _named(Path(path.name), path, format)}
    output = _beside(path) if output is None else output
    found = _pictures_in(path, output, targets)
    names = {source: _named(place, source, format) for source, place in found.items()}
    counts = collections.Counter(names.values())
    # Of a.gif and a.png, both keep their suffix: a.png may be the result of a.gif alone, of an earlier call
    return {
        source: output / (name if counts[name] == 1 else Path(f"{found[source]}{name.suffix}"))
        for source, name in names.items()
    }


def _beside(path):
    """NAME-colorized.SUFFIX of NAME.SUFFIX, or FOLDER-colorized."""
    path = path if path.name and path.name != ".." else path.resolve()  # of "." and ".."
    if not path.name:
        raise InputError(f"{printable(path)} has no name for the results: choose a folder with -o.")
    stem, suffix = (path.name, "") if path.is_dir() else (path.stem, path.suffix)
    return path.with_name(f"{stem}{_ADDED}{suffix}")


def _named(place, source, format):
    """The relative path of a result, with the suffix of its format."""
    return place.with_suffix(_suffix(source, format))


def _suffix(source, format):
    """The suffix of a result: the source's own if it stands for the format."""
    own = source.suffix.lower()
    wanted = format or image_formats.result_format(source)
    if image_formats.OUTPUTS.get(own) == wanted:
        return source.suffix
    return image_formats.default_suffix(wanted)


def _pictures_in(folder, output, targets):
    """{picture: its place below the output folder} of all pictures in a folder."""
    output, below = output.resolve(), folder.resolve()
    if output == below:
        raise InputError(
            f"{printable(folder)} is the folder of the pictures themselves: choose another one with -o."
        )
    listing = image_files.list_images(folder)

    def is_result(found):  # of an earlier call, whose output folder is in the folder of pictures
        return below in output.parents and output in found.resolve().parents

    found = [picture for picture in listing.images if not is_result(picture)]
    if not found:
        targets.refused.append(str(image_files.no_images(folder, listing.skipped)))
    targets.skipped.update(
        (entry, reason) for entry, reason in listing.skipped.items() if not is_result(entry)
    )
    return {picture: picture.relative_to(folder) for picture in found}


def _refuse_sources(pictures, extras):
    """Raise InputError if two results have one name, or if a result is a source by any name."""
    sources = {identity for source in pictures for identity in _identities(source)}
    takers = {}
    for source, target in pictures.items():
        if target == STANDARD:
            continue
        for name in (target, *extras.paths(target)):
            if sources & set(_identities(name)):
                raise InputError(
                    f"{printable(name)} is one of the pictures to color: choose another name with -o."
                )
            if (other := takers.setdefault(name, source)) != source:
                raise InputError(
                    f"{printable(other)} and {printable(source)} would both become {printable(name)}: "
                    "color them one by one."
                )


def _identities(path) -> Iterable:
    """What identifies a file under all of its names: its resolved path and, if it exists, its inode."""
    try:
        status = path.stat()
        return [path.resolve(), (status.st_dev, status.st_ino)]
    except (OSError, RuntimeError, ValueError):  # not there, a loop of links, a NUL in the name
        return [path.absolute()]
