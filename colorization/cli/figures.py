"""`colorize figures`: draw data, bins, results and training curves."""

import argparse

from colorization.evaluation import figures
from colorization.runs import resolve


def run(arguments: argparse.Namespace) -> None:
    """Draw the figures and print their paths.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: a run is not usable, or a file cannot be written.
    """
    run_dirs = [resolve.run_folder(name) for name in arguments.runs]
    for path in figures.write_all(run_dirs, arguments.output, arguments.seed):
        print(path)
