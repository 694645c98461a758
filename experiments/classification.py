"""The classification colorizer over 313 ab bins (paper, section 4.1.2).

    python data/prepare.py cifar10
    python experiments/classification.py --variant small

paper: the paper's own hyper-parameters, soft encoding, no rebalancing. small: about an hour on 2 CPU
cores that compute in bfloat16, three on others; with rebalancing, without which a small network stays nearly
gray. smoke: seconds.
"""

import sys
from dataclasses import replace

from colorization.cli import experiment
from colorization.core.config import ClassificationConfig

PAPER = ClassificationConfig(l2=0.01)
SMALL = replace(
    PAPER,
    l2=0.0,
    width=0.25,
    epochs=20,
    learning_rate=1e-3,
    schedule="cosine",
    flip=True,
    rebalance=True,
    rebalance_mix=0.9,
)
SMOKE = replace(
    SMALL,
    data="synthetic",
    width=0.125,
    epochs=3,
    train_size=1000,
    dev_size=100,
    test_size=100,
    batch_size=32,
)

VARIANTS = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(__doc__, VARIANTS, argv)


if __name__ == "__main__":
    sys.exit(main())
