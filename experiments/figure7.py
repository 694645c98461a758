"""The paper's Figure 7: how well a judge classifies what each method makes of gray images.

    colorize prepare cifar10
    python experiments/figure7.py --variant small     # or colorize figure7
    python experiments/figure7.py --regression RUN --classification RUN

Trains what is not given (with --variant small about three hours on 2 CPU cores that compute in bfloat16, the
first time, and seven to eight on others), colors the test images by every method, and writes figure7.md,
.csv, .json and .png, confusion.png and temperature.png (two to eleven minutes). At small, expect 80 % on gray
images, 85 % on true ones, and the colorizers at most a point above gray. May be stopped at any time: the same
command continues. A judge that is trained on gray images is the control: if color helps only the first one,
it is the judge that depends on it. --temperature 0.89 adds a column at the temperature of the paper.
"""

import argparse

from colorization.cli.console import run_command, run_script
from vgg_eval import commands, options
from vgg_eval.variants import FIGURES

VARIANTS = FIGURES


def main(argv=None):
    """Train what is missing, judge, write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_options(parser)
    return run_command(commands.figure7, parser.parse_args(argv))


if __name__ == "__main__":
    run_script(main)
