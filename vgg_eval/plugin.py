"""The commands of this package for `colorize`: the entry point `vgg_eval` of `colorization.plugins`."""

from typing import Any

from colorization.cli.console import RUN, add_command
from colorization.cli.training_options import Training
from vgg_eval import options
from vgg_eval.variants import JUDGE

TRAININGS = {
    "judge": Training(
        "Train a judge, VGG16 with a new 10-way head (paper, sections 3.2, 4.2 and 5.2).\n"
        "Variants: smoke takes seconds. small takes one to two and a half hours on 2 CPU cores, without\n"
        "pretrained weights. paper uses ImageNet weights, for a GPU. original uses fc6 and fc7 of ImageNet\n"
        "too, and trains the last layer; original-all trains all layers. Variants with -gray train on gray\n"
        "images.",
        JUDGE,
        "vgg_eval.commands:train_and_score",
    )
}
"""{name: Training} for `colorize train`."""


ARCHITECTURES = {
    3: "the network of the regression",
    4: "the layers of both networks, as a table",
    5: "the network of the classification",
    6: "VGG16, the judge",
}
"""Figure of the paper -> the picture."""


def add_commands(commands: Any) -> None:
    """Add Figures 3 to 8 to the commands of `colorize`, and --judge to `colorize evaluate`.

    Args:
        commands: the result of argparse's add_subparsers.
    """
    evaluate = commands.choices["evaluate"]
    evaluate.add_argument(
        "--judge", metavar="RUN", help="measure the distance in the features of this judge too: " + RUN
    )
    evaluate.set_defaults(measures="vgg_eval.features:measure")
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
    for number, what in ARCHITECTURES.items():
        figure = add_command(
            commands,
            f"figure{number}",
            f"draw {what}: the paper's Figure {number}",
            f"Draw {what} from the layers of the Keras model, as figure{number}.png.",
            "vgg_eval.commands:architecture",
        )
        options.add_options_of_architecture(figure)
        figure.set_defaults(figure=number)
    for command in (figure7, figure8):
        options.add_options(command)
    options.add_options_of_figure8(figure8)
