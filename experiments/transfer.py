"""The classification by transfer from VGG16 (paper, section 4.1.2).

    colorize prepare cifar10
    python experiments/transfer.py --variant paper --vgg-weights imagenet
    python experiments/judge.py --variant small       # or colorize train judge, colorize train transfer
    python experiments/transfer.py --variant small --vgg-weights runs/judge-small

paper: the paper's own hyperparameters: ImageNet weights, frozen, on images of 224 pixels. original: those
of its code. small: without ImageNet weights, the first blocks of the judge of experiments/judge.py, frozen;
half an hour on 2 CPU cores that compute in bfloat16, two hours on others; by annealed mean raw AuC 90.3 and
colorfulness 20.5 on dev images. smoke: seconds, with the blocks of the judge's own variant smoke. Frozen
blocks run once: their features are kept on disk.
"""

from colorization.cli import experiment
from colorization.cli.console import run_script
from colorization.cli.trainings import COLORIZERS

TRAINING = COLORIZERS["transfer"]._replace(description=__doc__)
VARIANTS = TRAINING.variants


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(TRAINING, argv)


if __name__ == "__main__":
    run_script(main)
