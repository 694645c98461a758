"""The parsers of the commands that prepare data and make runs and presets; quick to import, for --help."""

import argparse
from typing import Any

from colorization.cli.console import RUN, add_command, numbers, path, positive_number, whole_number
from colorization.cli.training_options import add_options
from colorization.cli.trainings import trainings


def add_prepare(commands: Any) -> None:
    """Add `colorize prepare`.

    Args:
        commands: the result of argparse's add_subparsers.
    """
    prepare = commands.add_parser(
        "prepare",
        help="download or convert a data set",
        description="Read or download a data set once, check it, and store it as plain arrays.",
    )
    add_data_sets(prepare)


def add_data_sets(prepare: argparse.ArgumentParser) -> None:
    """Add the data sets of `colorize prepare` to a parser, as commands.

    Args:
        prepare: the argparse parser.
    """
    sets = prepare.add_subparsers(required=True, metavar="DATA", dest="name")
    for name, help in (
        ("cifar10", "CIFAR-10: downloaded (170 MB), or converted from a file"),
        ("cifar100", "CIFAR-100: downloaded (170 MB), or converted from a file"),
        ("synthetic", "generated scenes; other commands also accept it without this one"),
    ):
        named = add_command(sets, name, help, f"Prepare {help}.", "colorization.cli.prepare:run")
        named.add_argument(
            "--from",
            dest="source",
            type=path,
            metavar="PATH",
            help="convert this file or folder: the published Python or binary layout (folder or tar),"
            " a folder of Parquet files, arrays in .npz, a prepared folder, or train|test/<class>/ images",
        )
        named.add_argument(
            "--to",
            type=path,
            metavar="DIR",
            help="the parent folder of the new set (default: $COLORIZATION_DATA, or the data folder)",
        )
        named.add_argument("--force", action="store_true", help="replace a prepared set that already exists")
    photographs = add_command(
        sets,
        "photographs",
        "folders of photographs, nested or flat",
        "Crop and resize the photographs of folders, as `colorize train photos` does before the training.\n"
        "Gray photographs are left out. Some photographs are held out for the metrics. Prints the new\n"
        "folder.",
        "colorization.cli.prepare:photos",
    )
    photographs.add_argument("folders", nargs="+", type=path, metavar="FOLDER")
    photographs.add_argument(
        "--size",
        type=positive_number,
        default=36,
        metavar="PIXELS",
        help="side of the pictures (default: 36, as in the variant small of `colorize train photos`)",
    )


def add_train(commands: Any) -> None:
    """Add `colorize train`.

    Args:
        commands: the result of argparse's add_subparsers.
    """
    train = commands.add_parser(
        "train",
        help="train a colorizer or a judge",
        description="Train a network and measure it on held-out images. All results are in the run folder.",
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


def add_tune(commands: Any) -> None:
    """Add `colorize tune`.

    Args:
        commands: the result of argparse's add_subparsers.
    """
    tune = add_command(
        commands,
        "tune",
        "choose the decoding of a trained classification",
        "Measure working sizes, strengths of rebalancing and temperatures of a classification on dev\n"
        "images. Writes tune.csv and tune.png. Prints the best combination: the highest raw AuC with a\n"
        "colorfulness within 15 % of the truth, or else the nearest colorfulness.",
        "colorization.cli.tune:run",
        keras=True,
    )
    tune.add_argument("run", metavar="RUN", help=RUN)
    tune.add_argument("--data", nargs="+", metavar="FOLDER", help="photographs (default: the run's own data)")
    tune.add_argument(
        "--sizes", type=numbers(int, 8), metavar="N,...", help="working sizes (default: the run's image size)"
    )
    tune.add_argument(
        "--strengths",
        type=numbers(float, -10),
        metavar="X,...",
        help="strengths of the rebalancing: 0 is none, 1 is full (default: 0,0.25,0.5,0.75,1)",
    )
    tune.add_argument(
        "--temperatures",
        type=numbers(float, 0),
        metavar="T,...",
        help="temperatures of the annealed mean (default: 0.1,0.2,0.38,0.6,0.89)",
    )
    tune.add_argument(
        "--images", type=whole_number, default=500, help="maximum number of dev images (default: 500)"
    )
    tune.add_argument(
        "-o", "--output", type=path, metavar="DIR", help="folder of the results (default: RUN/tune)"
    )
    tune.add_argument("--apply", type=path, metavar="DIR", help="make a new run with the chosen settings")


def add_presets_make(commands: Any) -> None:
    """Add `colorize presets make`.

    Args:
        commands: the result of argparse's add_subparsers.
    """
    make = add_command(
        commands,
        "presets make",
        "make a preset from a finished run",
        "Make a preset from a finished run. An older preset of the same name is replaced.\n"
        "Weights are rounded to float16. The card of the preset lists data, settings, command and metrics.",
        "colorization.cli.presets:make",
        keras=True,
    )
    make.add_argument("run", type=path, metavar="RUN", help="a finished run folder")
    make.add_argument("name", metavar="NAME", help="name of the preset")
    make.add_argument("--title", required=True, help="title of its card, in one line")
    make.add_argument("--data", required=True, help="its training data, in one line")
    make.add_argument("--bad-at", required=True, help="its weaknesses")
    make.add_argument(
        "--command", dest="command_line", required=True, metavar="COMMAND", help="the command of the training"
    )
    make.add_argument(
        "--onnx", action="store_true", help="add an ONNX file, with which `colorize image` starts faster"
    )
    make.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the field working_size, temperature or vgg_weights (a name)",
    )
    make.add_argument(
        "--to",
        type=path,
        metavar="DIR",
        help="the parent folder of the new preset (default: the presets of the package)",
    )
