"""`colorize figures`: draw data, bins, results and training curves."""

from colorization.evaluation import figures
from colorization.runs import resolve


def run(arguments):
    """Draw the figures and print their paths."""
    run_dirs = [resolve.run_folder(name) for name in arguments.runs]
    for path in figures.write_all(run_dirs, arguments.output, arguments.seed):
        print(path)
