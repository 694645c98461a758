"""The parsers of all commands; quick to import, for --help."""

import argparse
from pathlib import Path
from typing import Any

from colorization import __version__
from colorization.cli.console import numbers, positive_number, size, temperature, whole_number
from colorization.cli.training_options import add_options
from colorization.cli.trainings import plugins, trainings
from colorization.export.formats import FORMATS

_RUN = "a run folder, or a preset's name"
_DECODING = "of the classification: annealed (its default), mean or mode"


def parse(words: list[str]) -> argparse.Namespace:
    """Parse a command line of `colorize`.

    Args:
        words: the command line, without the name of the program.

    Returns:
        argparse.Namespace. Its `function` is "module:function", the function of this namespace to call. Its
        `keras` says whether that module imports Keras.
    """
    if words[:2] == ["presets", "make"]:  # a command of its own: behind `presets` stands a preset's name
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
        _add_prepare,
        _add_train,
        _add_evaluate,
        _add_tune,
        _add_figures,
        _add_presets,
        _add_presets_make,
    ):
        add(commands)
    for plugin in plugins():
        plugin.add_commands(commands)
    return found


def add_command(
    commands: Any, name: str, help: str, description: str, function: str, *, keras: bool = False
) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: what argparse's add_subparsers returned.
        name: of the command.
        help: a line for the list of commands.
        description: for the command's own --help.
        function: "module:function", of the parsed arguments; imported when the command is called.
        keras: whether that module imports Keras.

    Returns:
        Its parser.
    """
    command = commands.add_parser(
        name, help=help, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(function=function, keras=keras)
    return command


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
    film = add_command(
        commands,
        "film",
        "color a film",
        "Color a film, frame by frame; the sound stays. Interrupted, the same command goes on.",
        "colorization.cli.film:run",
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
    export = add_command(
        commands,
        "export",
        "write a run in another format",
        "Write a run as a SavedModel, ONNX, LiteRT or Keras file, from uint8 picture to uint8 picture\n"
        "(Keras: the network alone, from lightness).",
        "colorization.cli.export:run",
        keras=True,
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
    evaluate = add_command(
        commands,
        "evaluate",
        "measure a run",
        "Measure a run's every decoding beside two baselines.",
        "colorization.cli.evaluate:run",
        keras=True,
    )
    evaluate.add_argument("run", metavar="RUN", help=_RUN)
    evaluate.add_argument("--data", metavar="SOURCE", help="another data set than the run's own")
    evaluate.add_argument("--split", choices=("dev", "test"), default="dev", help="(default: dev)")
    _add_temperature(evaluate)


def _add_figures(commands):
    figures = add_command(
        commands,
        "figures",
        "draw samples, bins, results and training curves",
        "Draw the data set's samples, the bins and their density, a grid of results, the curves.",
        "colorization.cli.figures:run",
        keras=True,
    )
    figures.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, or names of presets, on one data set"
    )
    figures.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    figures.add_argument("--seed", type=whole_number, default=0, help="picks the images shown (default: 0)")


def _add_presets(commands):
    presets = add_command(
        commands,
        "presets",
        "list the trained models that come with the package",
        "List the trained models that come with the package, or show the card of one.\n"
        "`colorize presets make` makes one of a run.",
        "colorization.cli.presets:run",
    )
    presets.add_argument("name", nargs="?", metavar="NAME", help="show the card of this one")
    presets.add_argument("--path", action="store_true", help="show the folder instead of the card")


def _add_prepare(commands):
    prepare = commands.add_parser(
        "prepare",
        help="download or convert a data set",
        description="Read or download a data set once, check it, and store it as plain arrays.",
    )
    add_data_sets(prepare)


def add_data_sets(prepare: argparse.ArgumentParser) -> None:
    """Add the data sets of `colorize prepare` to an argparse parser, as commands."""
    sets = prepare.add_subparsers(required=True, metavar="DATA", dest="name")
    for name, help in (
        ("cifar10", "CIFAR-10: downloaded (170 MB), or converted from a file"),
        ("cifar100", "CIFAR-100: downloaded (170 MB), or converted from a file"),
        ("synthetic", "drawn scenes; also usable without this command"),
    ):
        named = add_command(sets, name, help, f"Prepare {help}.", "colorization.cli.prepare:run")
        named.add_argument(
            "--from",
            dest="source",
            type=Path,
            metavar="PATH",
            help="convert this file or folder: the published Python or binary layout (a folder or a tar),"
            " a folder of Parquet files, arrays in .npz, a prepared folder or train|test/<class>/ images",
        )
        named.add_argument(
            "--to",
            type=Path,
            metavar="DIR",
            help="the folder in which NAME/ is made (default: $COLORIZATION_DATA, or the data folder)",
        )
        named.add_argument("--force", action="store_true", help="replace a prepared set that already exists")
    photographs = add_command(
        sets,
        "photographs",
        "folders of photographs, nested or flat",
        "Crop and resize the photographs of folders, as `colorize train photos` does before its training.\n"
        "Gray photographs are left out. Some are held out for the metrics. Prints the new folder.",
        "colorization.cli.prepare:photos",
    )
    photographs.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    photographs.add_argument(
        "--size",
        type=positive_number,
        default=36,
        metavar="PIXELS",
        help="side of the pictures (default: 36, as the variant small of `colorize train photos` takes)",
    )


def _add_train(commands):
    train = commands.add_parser(
        "train",
        help="train a colorizer or a judge",
        description="Train a network and measure it on held-out images. The run folder keeps everything.",
    )
    tasks = train.add_subparsers(required=True, metavar="TASK", dest="training")
    for name, training in trainings().items():
        description = training.description or ""
        line = description.partition("\n")[0]
        command = add_command(
            tasks,
            name,
            f"{line[:1].lower()}{line[1:].rstrip('.')}",
            description,
            "colorization.cli.train:run",
        )
        add_options(command, training)


def _add_tune(commands):
    tune = add_command(
        commands,
        "tune",
        "choose how to decode a trained classification",
        "Measure working sizes, strengths of rebalancing and temperatures of a classification on dev\n"
        "images. Writes tune.csv and tune.png. Prints the combination with the highest raw AuC among those\n"
        "whose colorfulness is within 15 % of the truth's. If there are none, prints the nearest to it.",
        "colorization.cli.tune:run",
        keras=True,
    )
    tune.add_argument("run", metavar="RUN", help=_RUN)
    tune.add_argument("--data", nargs="+", metavar="FOLDER", help="photographs (default: the run's own data)")
    tune.add_argument(
        "--sizes", type=numbers(int, 8), metavar="N,...", help="working sizes (default: the run's image size)"
    )
    tune.add_argument(
        "--strengths",
        type=numbers(float, -10),
        metavar="X,...",
        help="of the rebalancing: 0 is none, 1 that of the weights (default: 0,0.25,0.5,0.75,1)",
    )
    tune.add_argument(
        "--temperatures",
        type=numbers(float, 0),
        metavar="T,...",
        help="of the annealed mean (default: 0.1,0.2,0.38,0.6,0.89)",
    )
    tune.add_argument(
        "--images", type=whole_number, default=500, help="maximum number of dev images (default: 500)"
    )
    tune.add_argument("-o", "--output", type=Path, metavar="DIR", help="of the results (default: RUN/tune)")
    tune.add_argument("--apply", type=Path, metavar="DIR", help="make a new run with the chosen settings")


def _add_presets_make(commands):
    make = add_command(
        commands,
        "presets make",
        "make a preset of a finished run",
        "Make a preset of a finished run. An older one of the same name is replaced.\n"
        "Weights are rounded to float16. Its card tells data, settings, command and metrics.",
        "colorization.cli.presets:make",
        keras=True,
    )
    make.add_argument("run", type=Path, metavar="RUN", help="a finished run folder")
    make.add_argument("name", metavar="NAME", help="of the preset")
    make.add_argument("--title", required=True, help="what it is, in a line")
    make.add_argument("--data", required=True, help="what it was trained on, in a line")
    make.add_argument("--bad-at", required=True, help="what it does not do well")
    make.add_argument(
        "--command", dest="command_line", required=True, metavar="COMMAND", help="the command that trained it"
    )
    make.add_argument(
        "--onnx", action="store_true", help="add the run as ONNX, with which `colorize image` starts sooner"
    )
    make.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change working_size, temperature or the name of vgg_weights",
    )
    make.add_argument(
        "--to", type=Path, metavar="DIR", help="where NAME/ is made (default: among the package's presets)"
    )


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
