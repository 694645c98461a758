"""The old name of experiments/judge.py, which takes the same options."""

import sys

import judge

from colorization.cli import experiment


def main(argv=None):
    """Train, report; returns the exit code."""
    print("experiments/vgg.py is deprecated: use experiments/judge.py.", file=sys.stderr)
    return experiment.main(judge.__doc__, judge.VARIANTS, argv, judge.train_and_report, name="vgg")


if __name__ == "__main__":
    sys.exit(main())
