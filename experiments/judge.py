"""The judge: VGG16 with a new 10-way head (paper, sections 3.2, 4.2 and 5.2).

    python data/prepare.py cifar10
    python experiments/judge.py --variant paper --vgg-weights imagenet
    python experiments/judge.py --variant small
    python experiments/judge.py --variant small-gray

paper: the paper's own hyper-parameters: ImageNet weights, frozen, on images of 224 pixels; their features
are computed once. small: no pretrained weights; VGG16's blocks at 32 pixels with batch normalization and half
of the channels, from scratch on all 50,000 images: about 20 minutes on 2 CPU cores that compute in bfloat16,
70 on others; 85 % on dev images, 80 % on the same made gray. smoke: seconds. Those with -gray train on gray
images: the control, 79 % and 83 %.
"""

import sys
from dataclasses import replace

from colorization.cli import experiment
from colorization.cli.console import start_keras
from vgg_eval.config import JudgeConfig

PAPER = JudgeConfig()
SMALL = replace(
    PAPER,
    train_size=50_000,
    dev_size=5_000,
    test_size=5_000,
    epochs=12,
    learning_rate=1e-3,
    schedule="cosine",
    flip=True,
    vgg_weights="none",
    vgg_size=32,
    width=0.5,
    head_width=512,
    batch_norm=True,
    frozen_blocks=0,
)
SMOKE = replace(
    SMALL,
    data="synthetic",
    train_size=1000,
    dev_size=100,
    test_size=100,
    epochs=3,
    batch_size=32,
    width=0.125,
    head_width=64,
)

COLOR = {"smoke": SMOKE, "small": SMALL, "paper": PAPER}
VARIANTS = COLOR | {f"{name}-gray": replace(settings, gray=True) for name, settings in COLOR.items()}


def train_and_report(config, run_dir, *, resume=False):
    """Train a judge; returns its accuracy on the dev images, as text."""
    start_keras()
    from vgg_eval import judge, training

    report = judge.evaluate(training.train(config, run_dir, resume=resume).path)
    return f"Accuracy on {report['images']} dev images: {report['truth']:.1%}, made gray {report['gray']:.1%}"


def main(argv=None):
    """Train, report; returns the exit code."""
    return experiment.main(__doc__, VARIANTS, argv, train_and_report)


if __name__ == "__main__":
    sys.exit(main())
