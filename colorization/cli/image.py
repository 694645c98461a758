"""`colorize image`: color image files and folders of them."""

import collections
from pathlib import Path

from tqdm import tqdm

from colorization.core import atomic_io, image_files
from colorization.core.errors import InputError
from colorization.inference import loading


def run(arguments):
    """Color all pictures; one that cannot be read does not stop the others."""
    targets = _targets(arguments.paths, arguments.output)
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
    failures = []
    for path, target in tqdm(targets.items(), unit=" pictures", disable=len(targets) < 2 or None):
        try:
            image_files.write(target, model.colorize(image_files.read(path)))
        except InputError as error:
            failures.append(str(error))
        else:
            tqdm.write(str(target))
    if failures:
        raise InputError("\n       ".join(failures))


def _targets(paths, folder):
    """{input: output} of files and of all pictures in folders, checked before anything slow begins."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a directory: give another one with -o.")
    places = {path: place for named in paths for path, place in _places(named, folder).items()}
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
    return targets


def _places(path, output):
    """{picture: its place below the output folder} of a file, or of all pictures in a folder."""
    if not path.is_dir():
        return {path: Path(path.name)}
    output, below = output.resolve(), path.resolve()
    if output == below:
        raise InputError(f"{path} is the folder of the pictures themselves: give another one with -o.")
    found = sorted(atomic_io.pictures_below(path))
    if below in output.parents:  # results of an earlier call are no pictures to color
        found = [picture for picture in found if output not in picture.resolve().parents]
    if not found:
        raise InputError(f"{path} holds no pictures ({', '.join(sorted(atomic_io.PICTURES))}).")
    return {picture: picture.relative_to(path) for picture in found}
