"""The commands of this package for `colorize`: the entry point `vgg_eval` of `colorization.plugins`."""

from typing import Any

from colorization.cli.console import add_command
from colorization.cli.training_options import Training
from vgg_eval import options
from vgg_eval.variants import JUDGE

TRAININGS = {
    "judge": Training(
        "Train a judge, VGG16 with a new 10-way head (paper, sections 3.2, 4.2 and 5.2).\n"
        "Variants: smoke takes seconds. small takes 20 to 70 minutes on 2 CPU cores, without pretrained\n"
        "weights. paper uses ImageNet weights, for a GPU. Variants with -gray train on gray images.",
        JUDGE,
        "vgg_eval.commands:train_and_score",
    )
}
"""{name: Training} for `colorize train`."""


def add_commands(commands: Any) -> None:
    """Add figure7 and figure8 to the commands of `colorize`.

    Args:
        commands: the result of argparse's add_subparsers.
    """
    figure7 = add_command(
        commands,
        "figure7",
        "measure colorizers by a judge: the paper's Figure 7",
        "Train the missing runs, color the test images by every method, and let two judges classify them.\n"
        "Writes figure7.md, .csv, .json and .png, confusion.png and temperature.png. The same command\n"
        "continues an interrupted one.",
        "vgg_eval.commands:figure7",
    )
    figure8 = add_command(
        commands,
        "figure8",
        "draw images with a judge's opinion: the paper's Figure 8",
        "Draw images of the test split as every method colors them, with the judge's class and confidence.\n"
        "Takes and trains the same runs as figure7. --failures writes failures.png instead.",
        "vgg_eval.commands:figure8",
    )
    for command in (figure7, figure8):
        options.add_options(command)
    options.add_options_of_figure8(figure8)
