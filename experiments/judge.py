"""The judge: VGG16 with a new 10-way head (paper, sections 3.2, 4.2 and 5.2).

    colorize prepare cifar10
    python experiments/judge.py --variant paper --vgg-weights imagenet
    python experiments/judge.py --variant small          # or colorize train judge
    python experiments/judge.py --variant small-gray

paper: the paper's own hyperparameters: ImageNet weights, frozen, on images of 224 pixels; their features
are computed once. small: no pretrained weights; VGG16's blocks at 32 pixels with batch normalization and
half of the channels, from scratch on all 50,000 images with shifts and weight decay: one to two and a half
hours on 2 CPU cores; 90 % on dev images, 84 % on the same made gray. smoke: seconds. original: as the paper's
code, with fc6 and fc7 of ImageNet too (--vgg-weights takes a file "with top"), the last layer alone trained;
original-all: all layers. Those with -gray train on gray images: the control, 86 % and 88 %.
"""

from colorization.cli import experiment
from colorization.cli.console import run_script
from vgg_eval.plugin import TRAININGS

TRAINING = TRAININGS["judge"]._replace(description=__doc__)
VARIANTS = TRAINING.variants


def main(argv=None):
    """Train, report; returns the exit code."""
    return experiment.main(TRAINING, argv)


if __name__ == "__main__":
    run_script(main)
