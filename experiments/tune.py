"""How to decode a trained classification: working size, rebalancing and temperature, measured on dev images.

    python experiments/tune.py runs/classification-small
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 32,64,96,128
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 64 --apply runs/photos

Rebalancing after training: a network that is trained with the loss weighted by w(q) learns, in the limit,
probabilities proportional to w(q) p(q | x) (w as in Zhang et al., section 2.2); the same is had from one that
was not, by adding log w(q) to its logits. So one training gives every strength between 0 (none) and 1 (that
of the weights), and beyond. --apply makes a run with the chosen settings: the shift goes into the last
layer's bias, the working size and the temperature into the config.

Writes tune.csv and tune.png, and prints the combination of the highest raw AuC among those whose
colorfulness is within 15 % of the truth's, or else the nearest to it.
"""

import argparse
import math
import sys
from pathlib import Path

from colorization import evaluation  # lazy: tune() imports Keras
from colorization.cli.console import run_command, start_keras, whole_number
from colorization.runs.resolve import run_folder


def numbers(kind, least):
    """For argparse: a list of numbers, none below `least`."""

    def parse(text):
        values = [kind(part) for part in text.split(",")]
        if not all(least <= value < math.inf for value in values):
            raise argparse.ArgumentTypeError(f"{text}: numbers of at least {least}, please")
        return values

    return parse


def main(argv=None):
    """Parse and measure; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="a classification's run folder, or a preset's name")
    parser.add_argument(
        "--data", nargs="+", metavar="FOLDER", help="photographs (default: the run's own data)"
    )
    parser.add_argument(
        "--sizes", type=numbers(int, 8), metavar="N,...", help="default: the run's image size"
    )
    parser.add_argument(
        "--strengths",
        type=numbers(float, -10),
        metavar="X,...",
        help="of the rebalancing (default: 0,0.25,0.5,0.75,1)",
    )
    parser.add_argument(
        "--temperatures",
        type=numbers(float, 0),
        metavar="T,...",
        help="default: 0.1,0.2,0.38,0.6,0.89",
    )
    parser.add_argument(
        "--images", type=whole_number, default=500, help="at most so many dev images (default: 500)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="default: RUN/tune")
    parser.add_argument(
        "--apply", type=Path, metavar="DIR", help="make a run with the settings that are chosen"
    )
    return run_command(tune, parser.parse_args(argv))


def tune(arguments):
    """Measure every combination, print the chosen one, and make the new run."""
    start_keras()
    tuning = evaluation.tune(
        run_folder(arguments.run),
        photographs=arguments.data,
        sizes=arguments.sizes,
        strengths=arguments.strengths,
        temperatures=arguments.temperatures,
        images=arguments.images,
        output=arguments.output,
        target=arguments.apply,
    )
    counted = f"{tuning.images} dev images, colorfulness {tuning.truth:.1f}"
    print(f"{counted}; all combinations are in {tuning.folder}")
    print("chosen: " + ", ".join(f"{name} {value:.4g}" for name, value in tuning.chosen.items()))
    if arguments.apply:
        print(arguments.apply)


if __name__ == "__main__":
    sys.exit(main())
