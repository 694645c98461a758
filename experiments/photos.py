"""A colorizer for photographs, trained on any folders of images.

    python experiments/photos.py --data FOLDER [FOLDER ...]     # or colorize train photos
    python experiments/photos.py --data FOLDER --variant fine --set init_from=runs/photos-small

The folders may be nested or flat. Gray photographs are found and left out, 5 % are held out by a seeded
split for the metrics. The network is the paper's classification, fully convolutional, with a rebalanced
loss, on random crops and flips. small: 32 pixels, a quarter of the width; on 100,000 images about an hour
for four epochs on 2 CPU cores. fine: continues at 64 pixels, where it learns finer patches, from
--set init_from=RUN. full: the whole width at 128 pixels, for a GPU. smoke: seconds,
on the built-in synthetic set.
"""

from colorization.cli import experiment
from colorization.cli.console import run_script
from colorization.cli.trainings import COLORIZERS

TRAINING = COLORIZERS["photos"]._replace(description=__doc__)
VARIANTS = TRAINING.variants


def main(argv=None):
    """Train, evaluate; returns the exit code."""
    return experiment.main(TRAINING, argv)


if __name__ == "__main__":
    run_script(main)
