"""How to decode a trained classification: working size, rebalancing and temperature, measured on dev images.

    python experiments/tune.py runs/classification-small     # or colorize tune
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 32,64,96,128
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 64 --apply runs/photos

Rebalancing after training: a network that is trained with the loss weighted by w(q) learns, in the limit,
probabilities proportional to w(q) p(q | x) (w as in Zhang et al., section 2.2); the same is had from one that
was not, by adding log w(q) to its logits. So one training gives every strength between 0 (none) and 1 (that
of the weights), and beyond. --apply makes a run with the chosen settings: the shift goes into the last
layer's bias, the working size and the temperature into the config.
"""

import sys

from colorization.cli import main as colorize
from colorization.cli.console import run_script


def main(argv=None):
    """Run `colorize tune`; returns the exit code."""
    return colorize.main(["tune", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    run_script(main)
