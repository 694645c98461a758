"""The classification by transfer from VGG16 (paper, section 4.1.2).

    python data/prepare.py cifar10
    python experiments/transfer.py --variant paper --vgg-weights imagenet
    python experiments/judge.py --variant small
    python experiments/transfer.py --variant small --vgg-weights runs/judge-small

paper: the paper's own hyper-parameters: ImageNet weights, frozen, on images of 224 pixels. small: where no
such weights are to be had, the first blocks of the judge of experiments/judge.py, frozen;
half an hour on 2 CPU cores that compute in bfloat16, two hours on others; by annealed mean raw AuC 90.3 and
colorfulness 20.5 on dev images. smoke: seconds, with the blocks of the judge's own variant smoke. Whatever is
frozen runs once: its features are kept on disk.
"""

import sys
from dataclasses import replace
from pathlib import Path

from colorization.cli import experiment
from colorization.core.config import TransferConfig
from vgg_eval.plan import judge_folder

PAPER = TransferConfig(l2=0.01, epochs=50)
SMALL = replace(
    PAPER,
    l2=0.0,
    width=0.25,
    epochs=15,
    learning_rate=1e-3,
    schedule="cosine",
    rebalance=True,
    rebalance_mix=0.9,
    vgg_weights="runs/judge-small",
    vgg_size=64,
    vgg_blocks=4,
    vgg_width=0.5,
    batch_norm=True,
    frozen_blocks=4,
)
SMOKE = replace(
    SMALL,
    data="synthetic",
    width=0.125,
    epochs=8,
    train_size=1000,
    dev_size=100,
    test_size=100,
    batch_size=32,
    vgg_weights="runs/judge-smoke",
    vgg_width=0.125,
)

VARIANTS = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}


def train(config, run_dir, *, resume=False):
    """experiment.train_and_evaluate; the judge may be in a run folder of version 0.1."""
    weights = Path(config.vgg_weights)
    if weights.name.startswith("judge-"):
        weights = judge_folder(weights.parent, weights.name.removeprefix("judge-"))
        config = replace(config, vgg_weights=str(weights))
    return experiment.train_and_evaluate(config, run_dir, resume=resume)


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(__doc__, VARIANTS, argv, train)


if __name__ == "__main__":
    sys.exit(main())
