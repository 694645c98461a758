"""The parsers of all commands; quick to import, for --help."""

import argparse
from pathlib import Path

from colorization import __version__
from colorization.cli.console import size, temperature, whole_number
from colorization.export.formats import FORMATS

_RUN = "a run folder, or a preset's name"
_DECODING = "of the classification: annealed (its default), mean or mode"


def parser() -> argparse.ArgumentParser:
    """The argparse.ArgumentParser of `colorize`; its `command` names the module in colorization.cli."""
    found = argparse.ArgumentParser(prog="colorize", description="Color gray pictures with a trained model.")
    found.add_argument("--version", action="version", version=__version__)
    commands = found.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for add in (_add_image, _add_film, _add_export, _add_evaluate, _add_figures, _add_presets):
        add(commands)
    return found


def _add_image(commands):
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
    existing = image.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace pictures that already exist")
    existing.add_argument("--resume", action="store_true", help="keep pictures that already exist")


def _add_film(commands):
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
    film.add_argument("--overwrite", action="store_true", help="replace a film that already exists")


def _add_export(commands):
    export = commands.add_parser(
        "export",
        help="write a run in another format",
        description="Write a run as a SavedModel, ONNX, LiteRT or Keras file, from uint8 picture to uint8"
        " picture (Keras: the network alone, from lightness).",
    )
    export.add_argument("run", metavar="RUN", help=_RUN)
    export.add_argument("--format", required=True, choices=tuple(FORMATS))
    export.add_argument(
        "-o", "--output", type=Path, metavar="PATH", help="the new file or folder (onnx: default: in RUN)"
    )
    export.add_argument("--decoding", help=_DECODING)
    export.add_argument("--working-size", type=int, metavar="PIXELS", help="as of `colorize image`")
    export.add_argument(
        "--size", type=size, metavar="HEIGHTxWIDTH", help="take pictures of this size only; LiteRT needs it"
    )


def _add_evaluate(commands):
    evaluate = commands.add_parser(
        "evaluate", help="measure a run", description="Measure a run's every decoding beside two baselines."
    )
    evaluate.add_argument("run", metavar="RUN", help=_RUN)
    evaluate.add_argument("--data", metavar="SOURCE", help="another data set than the run's own")
    evaluate.add_argument("--split", choices=("dev", "test"), default="dev", help="(default: dev)")
    _add_temperature(evaluate)


def _add_figures(commands):
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


def _add_presets(commands):
    presets = commands.add_parser(
        "presets",
        help="list the trained models that come with the package",
        description="List the trained models that come with the package, or show the card of one.",
    )
    presets.add_argument("name", nargs="?", metavar="NAME", help="show the card of this one")
    presets.add_argument("--path", action="store_true", help="show the folder instead of the card")


def _add_model(command):
    """The options of `colorize image` and `colorize film` that choose a model and a decoding."""
    command.add_argument(
        "--model",
        metavar="MODEL",
        help="a preset's name, a run folder, or what `colorize export` wrote: a SavedModel, an .onnx or a"
        " .tflite file (default: the preset for pictures of such a size)",
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
        help="of the annealed mean: 0 is the mode, 1 the mean (default: the model's own)",
    )
