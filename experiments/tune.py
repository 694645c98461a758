"""Choose the decoding of a trained classification: working size, rebalancing and temperature, on dev images.

    python experiments/tune.py runs/classification-small     # or colorize tune
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 32,64,96,128
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 64 --apply runs/photos

Rebalancing after the training: a network that is trained with the loss weighted by w(q) learns, in the limit,
probabilities proportional to w(q) p(q | x) (w as in Zhang et al., section 2.2). Adding log w(q) to the logits
of a network without weights has the same effect. So one training gives every strength between 0 (none) and 1
(full), and beyond. --apply makes a run with the chosen settings: the bias of the last layer is shifted, and
the working size and the temperature are settings.
"""

import sys

from colorization.cli import main as colorize
from colorization.cli.console import run_script


def main(argv=None):
    """Run `colorize tune`; returns the exit code."""
    return colorize.main(["tune", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    run_script(main)
