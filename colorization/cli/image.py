"""`colorize image`: color image files and folders of them."""

import argparse
import collections
import sys
from pathlib import Path

from tqdm import tqdm

from colorization.core import image_files
from colorization.core.errors import InputError, PartialError, printable
from colorization.inference import loading


def run(arguments: argparse.Namespace) -> None:
    """Color all pictures; one that cannot be read does not stop the others."""
    targets, skipped = _targets(arguments.paths, arguments.output)
    unreadable = [path for path, reason in skipped.items() if reason == image_files.UNREADABLE]
    inputs = len(targets) + len(unreadable)
    existing = [target for target in targets.values() if target.exists()]
    if existing and not (arguments.overwrite or arguments.resume):
        raise InputError(
            f"{existing[0]} already exists: pass --overwrite, --resume, or another folder with -o."
        )
    if arguments.resume:
        targets = {path: target for path, target in targets.items() if not target.exists()}
    model = loading.load(
        arguments.model,
        decoding=arguments.decoding,
        temperature=arguments.temperature,
        working_size=arguments.working_size,
    )
    failures = [f"{printable(path)} cannot be read as an image." for path in unreadable]
    for path, target in tqdm(targets.items(), unit=" pictures", disable=len(targets) < 2 or None):
        try:
            image_files.write(target, model.colorize(image_files.read(path)))
        except InputError as error:
            failures.append(str(error))
        else:
            tqdm.write(printable(target))
    for sentence in image_files.tell_skipped(skipped, arguments.output / image_files.SKIPPED_FILES):
        print(sentence, file=sys.stderr)
    if failures:
        kind = PartialError if len(failures) < inputs else InputError
        raise kind("\n       ".join(failures))


def _targets(paths, folder):
    """{input: output} of files and of all pictures in folders, and {skipped path: reason}.

    Checked before anything slow begins.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a directory: give another one with -o.")
    skipped = {}
    places = {path: place for named in paths for path, place in _places(named, folder, skipped).items()}
    stems = collections.Counter(place.with_suffix(".png") for place in places.values())
    targets = {}
    for path, place in places.items():
        alone = stems[place.with_suffix(".png")] == 1  # else a.jpg and a.png become a.jpg.png and a.png.png
        targets[path] = folder / (place.with_suffix(".png") if alone else f"{place}.png")
    takers, originals = {}, {path.resolve() for path in places}
    for path, target in targets.items():
        if target.resolve() in originals:
            raise InputError(f"{target} is one of the pictures to color: give another folder with -o.")
        if (other := takers.setdefault(target, path)) != path:
            raise InputError(f"{other} and {path} would both become {target}: color them one by one.")
    return targets, skipped


def _places(path, output, skipped):
    """{picture: its place below the output folder} of a file, or of all pictures in a folder.

    Adds to `skipped`, {path: reason}.
    """
    if not path.is_dir():
        return {path: Path(path.name)}
    output, below = output.resolve(), path.resolve()
    if output == below:
        raise InputError(f"{path} is the folder of the pictures themselves: give another one with -o.")
    listing = image_files.list_images(path)

    def is_result(found):  # of an earlier call, whose output folder is in the folder of pictures
        return below in output.parents and output in found.resolve().parents

    found = [picture for picture in listing.images if not is_result(picture)]
    if not found:
        raise image_files.no_images(path, listing.skipped)
    skipped.update((entry, reason) for entry, reason in listing.skipped.items() if not is_result(entry))
    return {picture: picture.relative_to(path) for picture in found}
