"""The paper's Figure 8: every method on the same images, with the answers of the judge.

    python experiments/figure8.py --variant small     # or colorize figure8
    python experiments/figure8.py --variant small --images 3,14,159
    python experiments/figure8.py --variant small --failures 5

Uses and trains the same runs as figure7.py. --seed draws the images from the test split, or --images names
their positions. With existing runs it takes half a minute, which it prints. --temperature 0.89 omits the
search of temperatures on the dev images. --failures writes failures.png instead: the images
for which the judge's probability of the true class falls most from the gray picture to the annealed mean.
"""

import argparse

from colorization.cli.console import run_command, run_script
from vgg_eval import commands, options


def main(argv=None):
    """Train missing runs, judge and draw. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_options(parser)
    options.add_options_of_figure8(parser)
    return run_command(commands.figure8, parser.parse_args(argv))


if __name__ == "__main__":
    run_script(main)
