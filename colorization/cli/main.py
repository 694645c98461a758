"""The command `colorize`: parse and call."""

import argparse
import collections
import functools
import json
import math
import sys
from pathlib import Path

from colorization import __version__
from colorization.cli.console import run_command, size, start_keras, whole_number
from colorization.core import atomic_io, image_files
from colorization.core.config import FILE
from colorization.core.errors import InputError
from colorization.inference import film, runtimes
from colorization.runs import resolve

_LARGE = 2**24  # pixels: above, the run colors in strips, since its ONNX would take all at once


def main(argv=None):
    """Run `colorize`; returns its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    arguments = _parser().parse_args(argv)
    return run_command(arguments.function, arguments)


def _parser():
    parser = argparse.ArgumentParser(prog="colorize", description="Color gray pictures with a trained model.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    image = commands.add_parser(
        "image",
        help="color image files and folders of them",
        description="Color image files and folders of them.",
    )
    image.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="image files (PNG, JPEG, TIFF, WebP, BMP), or folders, in which all are colored, at any depth",
    )
    image.add_argument(
        "-o",
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="NAME.png goes here, in subfolders as in a folder PATH",
    )
    _add_model(image)
    there = image.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="replace pictures that are there already")
    there.add_argument(
        "--resume", action="store_true", help="leave pictures as they are that are there already"
    )
    image.set_defaults(function=_image)

    film = commands.add_parser(
        "film",
        help="color a film",
        description="Color a film, frame by frame; the sound stays. Interrupted, the same command goes on.",
    )
    film.add_argument("path", type=Path, metavar="FILM", help="a film that FFmpeg reads")
    film.add_argument(
        "-o", "--output", required=True, type=Path, metavar="PATH", help="the new film: .mp4, .mkv or .mov"
    )
    _add_model(film)
    film.add_argument(
        "--no-smoothing",
        action="store_true",
        help="leave each frame as it is colored by itself, flicker and all",
    )
    film.add_argument("--overwrite", action="store_true", help="replace a film that is there already")
    film.set_defaults(function=_film)

    export = commands.add_parser(
        "export",
        help="write a run in another format",
        description="Write a run as a SavedModel, ONNX, LiteRT or Keras file, from uint8 picture to uint8"
        " picture (Keras: the network alone, from lightness).",
    )
    writers.add_argument("run", metavar="RUN", help="a run folder, or a preset's name")
    writers.add_argument("--format", required=True, choices=("savedmodel", "onnx", "litert", "keras"))
    writers.add_argument(
        "-o", "--output", type=Path, metavar="PATH", help="the new file or folder (onnx: default: in RUN)"
    )
    writers.add_argument("--decoding", help="of the classification: annealed (its default), mean or mode")
    writers.add_argument("--working-size", type=int, metavar="PIXELS", help="as of `colorize image`")
    writers.add_argument(
        "--size", type=size, metavar="HEIGHTxWIDTH", help="take pictures of this size only; LiteRT needs it"
    )
    writers.set_defaults(function=_export)

    evaluate = commands.add_parser(
        "evaluate", help="measure a run", description="Measure a run's every decoding beside two baselines."
    )
    evaluate.add_argument("run", metavar="RUN", help="a run folder, or a preset's name")
    evaluate.add_argument("--data", metavar="SOURCE", help="another data set than the run's own")
    evaluate.add_argument("--split", choices=("dev", "test"), default="dev", help="(default: dev)")
    _add_temperature(evaluate)
    evaluate.set_defaults(function=_evaluate)

    figures = commands.add_parser(
        "figures",
        help="draw samples, bins, results and training curves",
        description="Draw the data set's samples, the bins and their density, a grid of results, the curves.",
    )
    figures.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, or names of presets, on one data set"
    )
    figures.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    figures.add_argument("--seed", type=whole_number, default=0, help="picks the images shown (default: 0)")
    figures.set_defaults(function=_figures)

    listed = commands.add_parser(
        "presets",
        help="list the trained models that come with the package",
        description="List the trained models that come with the package, or show the card of one.",
    )
    listed.add_argument("name", nargs="?", metavar="NAME", help="show the card of this one")
    listed.add_argument("--path", action="store_true", help="show the folder instead of the card")
    listed.set_defaults(function=_presets)
    return parser


def _add_model(parser):
    """The options that say by what, and how, `colorize image` and `colorize film` color."""
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a preset's name, a run folder, or what `colorize export` wrote: a SavedModel, an .onnx or a"
        " .tflite file (default: the preset for pictures of such a size)",
    )
    parser.add_argument("--decoding", help="of the classification: annealed (its default), mean or mode")
    _add_temperature(parser)
    parser.add_argument(
        "--working-size",
        type=int,
        metavar="PIXELS",
        help="shorter side at which color is predicted (default: the model's own)",
    )


def _add_temperature(parser):
    parser.add_argument(
        "--temperature",
        type=_temperature,
        metavar="T",
        help="of the annealed mean: 0 is the mode, 1 the mean (default: the model's own)",
    )


def _temperature(text):
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no temperature of 0 or more")
    return value


def _image(arguments):
    targets = _targets(arguments.paths, arguments.output)
    there = [target for target in targets.values() if target.exists()]
    if there and not (arguments.overwrite or arguments.resume):
        raise InputError(
            f"{there[0]} is there already: pass --overwrite, --resume, or another folder with -o."
        )
    if arguments.resume:
        targets = {path: target for path, target in targets.items() if not target.exists()}
    models = _Models(arguments)
    from tqdm import tqdm  # not for --help

    failures = []
    for path, target in tqdm(targets.items(), unit=" pictures", disable=len(targets) < 2 or None):
        try:
            image_files.write(target, models.color(image_files.read(path)))
        except InputError as error:
            failures.append(str(error))
        else:
            tqdm.write(str(target))
    if failures:
        raise InputError("\n       ".join(failures))


def _film(arguments):
    film.check(arguments.output)
    if arguments.output.exists() and not arguments.overwrite:
        raise InputError(f"{arguments.output} is there already: pass --overwrite, or another name with -o.")
    models = _Models(arguments)
    path = models.path(*film.size(arguments.path))
    how = [arguments.decoding, arguments.temperature, arguments.working_size, atomic_io.fingerprint_of(path)]
    smooth = not arguments.no_smoothing
    film.color(arguments.path, arguments.output, models.color, json.dumps(how), smooth=smooth)
    print(arguments.output)


class _Models:
    """The model that is asked for, or else the preset for pictures of a size; each is loaded once."""

    def __init__(self, arguments):
        self._given = resolve.run_folder(arguments.model) if arguments.model else None
        self._preset = functools.cache(resolve.path)  # it reads all files of a preset
        self._load = functools.cache(functools.partial(_colorizer, arguments))
        self._load(self._given or self._preset(resolve.PHOTOGRAPHS), False)  # refused before any work

    def path(self, height, width):
        """The model for pictures of a size."""
        return self._given or self._preset(resolve.default(height, width))

    def color(self, picture):
        """The colored picture or batch; both uint8 RGB."""
        height, width = picture.shape[-3:-1]
        path = self.path(height, width)
        large = height * width > _LARGE and not runtimes.recognizes(path)
        return self._load(path, large)(picture)


def _colorizer(arguments, path, large):
    """The coloring function of a run folder or an exported model; see _LARGE."""
    return _exported(arguments, path, large) or _trained(arguments, path)


def _trained(arguments, path):
    """The coloring function of a run folder."""
    start_keras()
    from colorization.inference.colorizer import Colorizer
    from colorization.models import tasks

    colorizer = Colorizer.load(path, arguments.working_size)
    tasks.decoding(colorizer.task, arguments.decoding)
    if arguments.temperature is not None:
        tasks.refuse_temperature(colorizer.task, arguments.decoding)
    return functools.partial(
        colorizer.colorize, decoding=arguments.decoding, temperature=arguments.temperature
    )


def _exported(arguments, path, large):
    """The coloring function of an exported model, or of the one in a run folder; None if there is none."""
    options = {"--decoding": arguments.decoding, "--working-size": arguments.working_size}
    given = [option for option, value in options.items() if value is not None]
    if runtimes.recognizes(path):
        if given:
            raise InputError(f"{path} has its {given[0][2:]} built in: leave {given[0]} out.")
        if path.is_dir():
            start_keras()  # TensorFlow runs a SavedModel
        found = runtimes.load(path)
    elif arguments.temperature is not None and not _has_temperature(path):
        return None  # its ONNX would not mind the temperature, the run refuses it
    else:
        found = None if given or large else runtimes.of_run(path)
    return found and functools.partial(found.colorize, temperature=arguments.temperature)


def _has_temperature(run_dir):
    """Whether the config of a run folder has a temperature; False if there is none."""
    try:
        return "temperature" in json.loads((run_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _export(arguments):
    run_dir = resolve.run_folder(arguments.run)
    if not arguments.output and (arguments.format != "onnx" or resolve.contains(run_dir)):
        raise InputError(f"Name the new {arguments.format} by -o.")
    output = arguments.output or run_dir / runtimes.ONNX
    start_keras()
    from colorization.export import writers

    writers.export(
        run_dir,
        arguments.format,
        output,
        decoding=arguments.decoding,
        working_size=arguments.working_size,
        size=arguments.size,
    )
    print(output)


def _targets(paths, folder):
    """{input: output} of files and of all pictures in folders, checked before anything slow begins."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder: give another one with -o.")
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
    """{picture: its place below the results' folder} of a file or of a folder that it is in."""
    if not path.is_dir():
        return {path: Path(path.name)}
    output, below = output.resolve(), path.resolve()
    if output == below:
        raise InputError(f"{path} is the folder of the pictures themselves: give another one with -o.")
    found = sorted(atomic_io.pictures_below(path))
    if below in output.parents:  # results of an earlier call are no pictures to color
        found = [picture for picture in found if output not in picture.resolve().parents]
    if not found:
        raise InputError(f"{path} holds no pictures ({', '.join(sorted(files.PICTURES))}).")
    return {picture: picture.relative_to(path) for picture in found}


def _evaluate(arguments):
    start_keras()
    from colorization.evaluation import evaluate

    report = evaluate.evaluate(
        resolve.run_folder(arguments.run),
        arguments.split,
        source=arguments.data,
        temperature=arguments.temperature,
    )
    print(evaluate.table(report))


def _figures(arguments):
    start_keras()
    from colorization.evaluation import figures

    run_dirs = [resolve.run_folder(run) for run in arguments.runs]
    for path in figures.write_all(run_dirs, arguments.output, arguments.seed):
        print(path)


def _presets(arguments):
    if arguments.name:
        folder = resolve.path(arguments.name)
        print(folder if arguments.path else (folder / resolve.CARD).read_text(encoding="utf-8").strip())
        return
    if arguments.path:
        raise InputError("Name the preset whose folder --path is to show; `colorize presets` lists them.")
    found = resolve.all_presets()
    width = max((len(preset.name) for preset in found), default=0)
    for preset in found:
        print(f"{preset.name:{width}}  {preset.size / 1e6:5.1f} MB  {preset.title}")


if __name__ == "__main__":
    sys.exit(main())
