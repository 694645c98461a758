"""`colorize evaluate`: measure a run."""

import argparse
import pkgutil

from colorization.evaluation import evaluator
from colorization.runs import resolve


def run(arguments: argparse.Namespace) -> None:
    """Measure a run and print the table.

    Args:
        arguments: the parsed command line. `measures`, of a plug-in, is the function of its option --judge.

    Raises:
        InputError: the run, the data or the judge are not usable.
    """
    judge = arguments.judge and resolve.run_folder(arguments.judge)
    measures = pkgutil.resolve_name(arguments.measures)(judge) if judge else {}
    report = evaluator.evaluate(
        resolve.run_folder(arguments.run),
        arguments.split,
        source=arguments.data,
        temperature=arguments.temperature,
        measures=measures,
    )
    print(evaluator.table(report))
