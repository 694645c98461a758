"""`colorize evaluate`: measure a run."""

import argparse

from colorization.evaluation import evaluator
from colorization.runs import resolve


def run(arguments: argparse.Namespace) -> None:
    """Measure a run and print the table.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the run or the data are not usable.
    """
    report = evaluator.evaluate(
        resolve.run_folder(arguments.run),
        arguments.split,
        source=arguments.data,
        temperature=arguments.temperature,
    )
    print(evaluator.table(report))
