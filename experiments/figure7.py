"""The paper's Figure 7: how well a judge classifies gray images colored by each method.

    colorize prepare cifar10
    python experiments/figure7.py --variant small     # or colorize figure7
    python experiments/figure7.py --regression RUN --classification RUN

Trains the runs that are not given. With --variant small this takes about four hours on 2 CPU cores with
bfloat16, and about ten hours on others. Then colors the test images by every method, and writes
figure7.md, .csv, .json and .png, confusion.png and temperature.png (two to eleven minutes). Expected accuracy
with --variant small: 83 % on gray images, 89 % on true ones, and at most one point above gray for the
colorizers. The same command continues after an interrupt. A judge that is trained on gray images is the
control. If color helps only the other judge, that judge depends on color. --temperature 0.89 adds a column at
the temperature of the paper.
"""

import argparse

from colorization.cli.console import run_command, run_script
from vgg_eval import commands, options
from vgg_eval.variants import FIGURES

VARIANTS = FIGURES


def main(argv=None):
    """Train missing runs, judge and write. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_options(parser)
    return run_command(commands.figure7, parser.parse_args(argv))


if __name__ == "__main__":
    run_script(main)
