"""The parsers of all commands; quick to import, for --help."""

import argparse

from colorization import __version__
from colorization.cli import training_arguments
from colorization.cli.console import RUN, add_command, path, positive_number, size, temperature, whole_number
from colorization.cli.film_arguments import frame_rate, seconds
from colorization.cli.trainings import plugins
from colorization.export.formats import FORMATS

_DECODING = "decoding of a classification: annealed (default), mean or mode"


def parse(words: list[str]) -> argparse.Namespace:
    """Parse a command line of `colorize`.

    Args:
        words: the command line, without the name of the program.

    Returns:
        argparse.Namespace. Its `function` is "module:function", the function of this namespace to call. Its
        `keras` says whether that module imports Keras.
    """
    if words[:2] == ["presets", "make"]:  # a separate command, as `presets` accepts the name of a preset
        words = ["presets make", *words[2:]]
    return parser().parse_args(words)


def parser() -> argparse.ArgumentParser:
    """The argparse.ArgumentParser of `colorize`, with the commands of all plug-ins."""
    found = argparse.ArgumentParser(
        prog="colorize", description="Color gray photographs and films, and train colorizers."
    )
    found.add_argument("--version", action="version", version=__version__)
    commands = found.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for add in (
        _add_image,
        _add_film,
        _add_export,
        training_arguments.add_prepare,
        training_arguments.add_train,
        _add_evaluate,
        training_arguments.add_tune,
        _add_figures,
        _add_presets,
        training_arguments.add_presets_make,
    ):
        add(commands)
    for plugin in plugins():
        plugin.add_commands(commands)
    return found


def _add_image(commands):
    image = add_command(
        commands,
        "image",
        "color image files and folders of them",
        "Color image files and folders of them.",
        "colorization.cli.image:run",
    )
    image.add_argument(
        "paths",
        nargs="+",
        type=path,
        metavar="PATH",
        help="image files (JPEG, PNG, TIFF, WebP, HEIC, AVIF, JPEG 2000, GIF, BMP), or folders, in which all"
        " images at any depth are colored; - is standard input",
    )
    image.add_argument(
        "-o",
        "--output",
        type=path,
        metavar="PATH",
        help="for one file, a name such as colored.jpg; else a folder; - is standard output"
        " (default: NAME-colorized beside PATH)",
    )
    image.add_argument(
        "--format",
        choices=("jpeg", "png", "tiff", "webp", "avif"),
        help="of the results (default: that of -o, or the image's own; PNG for standard output)",
    )
    image.add_argument(
        "--jobs", type=positive_number, metavar="N", help="images at once (default: one per core)"
    )
    image.add_argument(
        "--max-pixels",
        type=positive_number,
        metavar="N",
        help="images of more pixels are refused (default: 500 million)",
    )
    _add_model(image)
    _add_rendering(image)
    existing = image.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace images that already exist")
    existing.add_argument(
        "--resume", action="store_true", help="keep images that already exist, and color the others"
    )


def _add_rendering(image):
    """The options of `colorize image` between the network's prediction and the result."""
    _add_upsampling(image, "edges")
    image.add_argument(
        "--quality",
        choices=("fast", "best"),
        default="fast",
        help="best: the mean of six predictions, six times as slow (default: fast)",
    )
    image.add_argument(
        "--no-borders",
        action="store_true",
        help="treat uniform white or black borders as a part of the image",
    )
    image.add_argument(
        "--restore-contrast",
        action="store_true",
        help="for faded prints: predict from a stretched lightness; the result keeps the original one",
    )
    image.add_argument(
        "--compare", action="store_true", help="also write NAME-compare: before and after, side by side"
    )
    image.add_argument(
        "--confidence",
        action="store_true",
        help="also write NAME-confidence.png: a map of how sure the model is of its colors",
    )
    image.add_argument(
        "--samples",
        type=positive_number,
        default=0,
        metavar="N",
        help="also write NAME-1 to NAME-N: other plausible colors",
    )
    image.add_argument(
        "--hint",
        action="append",
        default=[],
        metavar="X,Y,COLOR",
        help="color of a pixel of the upright image, such as 120,80,#a03030 or 120,80,brown; it spreads to"
        " similar neighbors; may be repeated",
    )
    image.add_argument(
        "--hints",
        type=path,
        metavar="FILE",
        help='JSON file of color hints: [{"x": 120, "y": 80, "color": "#a03030"}]',
    )


def _add_upsampling(command, default):
    """The options of rendering for images and films."""
    command.add_argument(
        "--upsampling",
        choices=("edges", "bilinear"),
        help=f"edges: colors follow the edges of lightness (default: {default})",
    )
    command.add_argument(
        "--saturation",
        type=float,
        default=1.0,
        metavar="0..2",
        help="factor of the chroma: 0 is gray (default: 1)",
    )


def _add_film(commands):
    film = add_command(
        commands,
        "film",
        "color a film",
        "Color a film; sound, subtitles and chapters stay. Interrupted, the same command continues.",
        "colorization.cli.film:run",
    )
    film.add_argument(
        "path",
        type=path,
        metavar="FILM",
        help="a film that FFmpeg reads, a folder of frames, or a pattern of frames such as 'scan-%%04d.png'",
    )
    film.add_argument(
        "-o",
        "--output",
        type=path,
        metavar="PATH",
        help="the new film: .mp4, .mkv or .mov (default: FILM-colorized.mkv beside FILM)",
    )
    _add_model(film)
    _add_upsampling(film, "bilinear")
    film.add_argument(
        "--start", type=seconds, default=0.0, metavar="TIME", help="color from here on: 90 or 1:30"
    )
    film.add_argument("--end", type=seconds, metavar="TIME", help="color up to here")
    film.add_argument(
        "--fps", type=frame_rate, metavar="RATE", help="of single frames: 24, 29.97 or 24000/1001"
    )
    film.add_argument(
        "--preview", action="store_true", help="only write five colored frames as a picture, FILM-preview.png"
    )
    film.add_argument(
        "--keyframes",
        type=positive_number,
        default=8,
        metavar="N",
        help="predict the color of every Nth frame, and carry it to the others; 1: of each (default: 8)",
    )
    film.add_argument(
        "--no-smoothing",
        action="store_true",
        help="leave each frame as it is colored by itself, flicker and all",
    )
    film.add_argument("--no-deinterlace", action="store_true", help="leave interlaced frames as they are")
    existing = film.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace a film that already exists")
    existing.add_argument("--resume", action="store_true", help="keep a film that already exists")


def _add_export(commands):
    export = add_command(
        commands,
        "export",
        "write a run in another format",
        "Write a run as SavedModel, ONNX, LiteRT or Keras file. Input and output are uint8 pictures.\n"
        "A Keras file contains the network only: its input is lightness.",
        "colorization.cli.export:run",
        keras=True,
    )
    export.add_argument("run", metavar="RUN", help=RUN)
    export.add_argument("--format", required=True, choices=tuple(FORMATS), help="format of the file")
    export.add_argument(
        "-o",
        "--output",
        type=path,
        metavar="PATH",
        help="the new file or folder (default for onnx: a file in RUN, with which the run starts faster)",
    )
    export.add_argument("--decoding", help=_DECODING)
    export.add_argument(
        "--working-size",
        type=int,
        metavar="PIXELS",
        help="shorter side at which color is predicted (default: the model's own)",
    )
    export.add_argument(
        "--size", type=size, metavar="HEIGHTxWIDTH", help="accept pictures of this size only; LiteRT needs it"
    )


def _add_evaluate(commands):
    evaluate = add_command(
        commands,
        "evaluate",
        "measure a run",
        "Measure every decoding of a run, and two baselines.",
        "colorization.cli.evaluate:run",
        keras=True,
    )
    evaluate.add_argument("run", metavar="RUN", help=RUN)
    evaluate.add_argument("--data", metavar="SOURCE", help="another data set (default: the run's own)")
    evaluate.add_argument("--split", choices=("dev", "test"), default="dev", help="(default: dev)")
    evaluate.set_defaults(judge=None)  # the option of a plug-in
    _add_temperature(evaluate)


def _add_figures(commands):
    figures = add_command(
        commands,
        "figures",
        "draw samples, bins, results and training curves",
        "Draw samples of the data set, the bins and their density, a grid of results, and training curves.",
        "colorization.cli.figures:run",
        keras=True,
    )
    figures.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, or names of presets, on one data set"
    )
    figures.add_argument(
        "-o", "--output", required=True, type=path, metavar="DIR", help="directory of the pictures"
    )
    figures.add_argument(
        "--seed", type=whole_number, default=0, help="selects the images that are shown (default: 0)"
    )


def _add_presets(commands):
    presets = add_command(
        commands,
        "presets",
        "list the trained models that come with the package",
        "List the trained models that come with the package, or show the card of one.\n"
        "`colorize presets make` makes a preset from a run.",
        "colorization.cli.presets:run",
    )
    presets.add_argument("name", nargs="?", metavar="NAME", help="show the card of this preset")
    presets.add_argument("--path", action="store_true", help="show the folder instead of the card")


def _add_model(command):
    """The options of `colorize image` and `colorize film` that choose a model and a decoding."""
    command.add_argument(
        "--model",
        metavar="MODEL",
        help="name of a preset, a run folder, or a model from `colorize export`: a SavedModel, an .onnx or a"
        " .tflite file (default: the preset for pictures of this size)",
    )
    command.add_argument("--decoding", help=_DECODING)
    _add_temperature(command)
    command.add_argument(
        "--working-size",
        type=int,
        metavar="PIXELS",
        help="shorter side at which color is predicted (default: the model's own)",
    )


def _add_temperature(command):
    command.add_argument(
        "--temperature",
        type=temperature,
        metavar="T",
        help="temperature of the annealed mean: 0 is the mode, 1 the mean (default: the model's own)",
    )
