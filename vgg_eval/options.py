"""The options of Figures 7 and 8 on the command line; quick to import, for --help."""

import argparse
import re
from pathlib import Path

from colorization.cli.console import path, positive_number, temperature, whole_number
from colorization.cli.training_options import add_variant

ROLES = {
    "judge": "the judge, trained on color images",
    "control": "the judge that is trained on gray images",
    "regression": "the regression colorizer",
    "classification": "the classification colorizer",
    "transfer": "the transfer colorizer",
}
"""Role of a run -> its description; in the order of training, as the transfer may take the judge's blocks."""

FIGURE7 = ("grayscale", "regression", "classification", "annealed", "transfer", "ground truth")
"""The columns of the paper, from left to right."""

JUDGES = ("judge", "control")
VARIANTS = ("smoke", "small", "paper", "original")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the common options of Figures 7 and 8 to a parser.

    Args:
        parser: the argparse parser.
    """
    add_variant(
        parser, VARIANTS, "settings of the runs that are trained here (default: small)", default="small"
    )
    for role, what in ROLES.items():
        parser.add_argument(
            f"--{role}",
            metavar="RUN",
            help=f"{what}: a run folder or a name of `colorize presets` (default: trained by the variant)",
        )
    parser.add_argument(
        "--add",
        action="append",
        type=_named_run,
        default=[],
        metavar="NAME=RUN",
        help="show one more colorizer, in a column NAME before the truth; a classification is decoded by the "
        "annealed mean, at a temperature of its own. Repeatable",
    )
    parser.add_argument(
        "--data",
        metavar="SOURCE",
        help="data of the runs that are trained here: cifar10, synthetic or a path",
    )
    parser.add_argument(
        "--vgg-weights",
        metavar="SOURCE",
        help="VGG16 weights of the runs that are trained here: imagenet, a file, or a judge's run",
    )
    parser.add_argument(
        "--runs", type=path, default=Path("runs"), metavar="DIR", help="directory of the runs (default: runs)"
    )
    parser.add_argument(
        "--temperature",
        type=temperature,
        metavar="T",
        help="of the annealed mean: in Figure 7 beside the one that is chosen on the dev images, in Figure 8 "
        "in its place",
    )
    parser.add_argument("--split", choices=("test", "dev"), default="test", help="(default: test)")
    parser.add_argument(
        "-o", "--output", type=path, metavar="DIR", help="default: RUNS/figures-VARIANT, or -dev"
    )


def add_options_of_architecture(parser: argparse.ArgumentParser) -> None:
    """Add the options of Figures 3 to 6 to a parser.

    Args:
        parser: the argparse parser.
    """
    add_variant(parser, VARIANTS, "of the network (default: paper)", default="paper")
    parser.add_argument(
        "-o", "--output", type=path, default=Path(), metavar="DIR", help="(default: this directory)"
    )


def add_options_of_figure8(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the images of Figure 8 to a parser.

    Args:
        parser: the argparse parser.
    """
    parser.add_argument("--seed", type=whole_number, default=0, help="seed of the random images (default: 0)")
    parser.add_argument("--columns", type=positive_number, default=12, help="number of images (default: 12)")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--images", type=_places, metavar="I,J,...", help="show these images of the split")
    chosen.add_argument(
        "--failures",
        type=positive_number,
        metavar="N",
        help="show the N images whose colors mislead the judge most",
    )


def _named_run(text):
    """For argparse: a column's name and its run."""
    name, _, run = text.partition("=")
    if not name or not run:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=RUN")
    if name in (*FIGURE7, *ROLES):
        raise argparse.ArgumentTypeError(f"Figure 7 uses the name {name!r}. Choose another name")
    if not re.fullmatch(r"[\w ,.()-]+", name):  # it is part of a file's name
        raise argparse.ArgumentTypeError(f"{name!r}: a name has letters, digits, spaces and ,.()- only")
    return name, run


def _places(text):
    """For argparse: a list of whole numbers."""
    return [whole_number(part) for part in text.split(",")]


def output(arguments: argparse.Namespace) -> Path:
    """The directory of the results.

    Args:
        arguments: the parsed command line.

    Returns:
        Path of the directory.
    """
    name = f"figures-{arguments.variant}" + ("-dev" if arguments.split == "dev" else "")
    return arguments.output or arguments.runs / name
