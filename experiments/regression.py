"""The regression colorizer (paper, section 4.1.1).

    python data/prepare.py cifar10
    python experiments/regression.py --variant small

paper: the paper's own hyper-parameters. small: about half an hour on 2 CPU cores that compute in
bfloat16, an hour and a half on others. smoke: seconds.
"""

import sys
from dataclasses import replace

from colorization.cli import experiment
from colorization.core.config import RegressionConfig

PAPER = RegressionConfig()
SMALL = replace(PAPER, width=0.25, epochs=20, learning_rate=1e-3, schedule="cosine", flip=True)
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
