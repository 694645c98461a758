"""`colorize evaluate`: measure a run."""

from colorization.evaluation import evaluator
from colorization.runs import resolve


def run(arguments):
    """Measure a run and print the table."""
    report = evaluator.evaluate(
        resolve.run_folder(arguments.run),
        arguments.split,
        source=arguments.data,
        temperature=arguments.temperature,
    )
    print(evaluator.table(report))
