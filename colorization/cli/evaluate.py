"""`colorize evaluate`: measure a run."""

import argparse
import pkgutil

from colorization.evaluation import evaluator
from colorization.runs import resolve


def run(arguments: argparse.Namespace) -> None:
    """Measure a run and print the table. A plug-in may add a measure: `judge` is its argument."""
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
