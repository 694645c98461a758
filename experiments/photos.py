"""A colorizer for photographs, trained on any folders of images.

    python experiments/photos.py --data FOLDER [FOLDER ...]
    python experiments/photos.py --data FOLDER --variant fine --set init_from=runs/photos-small

The folders may be nested or flat. Gray photographs are found and left out, 5 % are held out by a seeded
split for the metrics. The network is the paper's classification, fully convolutional, with a rebalanced
loss, on random crops and flips. small: 32 pixels, a quarter of the width; on 100,000 images about an hour
for four epochs on 2 CPU cores. fine: goes on at 64 pixels, where it learns finer patches, from the
preset `photos` or from --set init_from=RUN.
full: the whole width at 128 pixels, for a GPU. smoke: seconds, on the built-in synthetic set.
"""

import sys
from dataclasses import replace

import classification

from colorization.cli import experiment
from colorization.core.errors import InputError

SMALL = replace(
    classification.SMALL, data="photographs", train_size=10**7, epochs=4, crop_from=36, rebalance_mix=0.7
)
FINE = replace(
    SMALL, image_size=64, crop_from=80, epochs=8, batch_size=32, learning_rate=2e-4, init_from="photos"
)
FULL = replace(SMALL, width=1.0, image_size=128, crop_from=160, epochs=60, learning_rate=3e-4)
SMOKE = replace(classification.SMOKE, crop_from=40)

VARIANTS = {"smoke": SMOKE, "small": SMALL, "fine": FINE, "full": FULL}


def gather(folders, settings):
    """The prepared set of the folders' photographs, of the side that training takes."""
    from colorization.datasets import photographs

    return photographs.prepare(folders, settings.crop_from or settings.image_size)


def train(settings, run_dir, *, resume=False):
    """experiment.train_and_evaluate, after a look at whether there are photographs."""
    if settings.data == SMALL.data:
        raise InputError("Name the folders of your photographs by --data FOLDER [FOLDER ...].")
    return experiment.train_and_evaluate(settings, run_dir, resume=resume)


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(__doc__, VARIANTS, argv, train, name="photos", gather=gather)


if __name__ == "__main__":
    sys.exit(main())
