"""The old name of experiments/judge.py, which has the same options."""

import argparse
import sys

import judge

from colorization.cli import experiment
from colorization.cli.console import run_script


def main(argv=None):
    """Train, report; returns the exit code."""
    print("experiments/vgg.py is deprecated: use experiments/judge.py.", file=sys.stderr)
    words = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", "--variant", dest="variant", default="small")
    # The folder keeps the spelling of the command line: small-grey made runs/vgg-small-grey
    folder = f"--run-dir=runs/vgg-{parser.parse_known_args(words)[0].variant}"
    return experiment.main(judge.TRAINING, [folder, *words])


if __name__ == "__main__":
    run_script(main)
