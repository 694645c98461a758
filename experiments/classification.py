"""The classification colorizer over 313 ab bins (paper, section 4.1.2).

    colorize prepare cifar10
    python experiments/classification.py --variant small     # or colorize train classification

paper: the paper's own hyperparameters, soft encoding, no rebalancing. original: those of its code. small:
about an hour on 2 CPU cores that compute in bfloat16, three on others; with rebalancing, without which a
small network stays nearly gray. smoke: seconds.
"""

from colorization.cli import experiment
from colorization.cli.console import run_script
from colorization.cli.trainings import COLORIZERS

TRAINING = COLORIZERS["classification"]._replace(description=__doc__)
VARIANTS = TRAINING.variants


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(TRAINING, argv)


if __name__ == "__main__":
    run_script(main)
