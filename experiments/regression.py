"""The regression colorizer (paper, section 4.1.1).

    colorize prepare cifar10
    python experiments/regression.py --variant small     # or colorize train regression

paper: the paper's own hyperparameters. original: those of its code. small: about half an hour on 2 CPU
cores that compute in bfloat16, an hour and a half on others; after 10 epochs (experiments/shipped.py) raw
AuC 91.21 and colorfulness 12.6 on dev images. smoke: seconds.
"""

from colorization.cli import experiment
from colorization.cli.console import run_script
from colorization.cli.trainings import COLORIZERS

TRAINING = COLORIZERS["regression"]._replace(description=__doc__)
VARIANTS = TRAINING.variants


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(TRAINING, argv)


if __name__ == "__main__":
    run_script(main)
