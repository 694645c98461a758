"""`colorize tune`: choose working size, rebalancing and temperature on dev images."""

import argparse

from colorization.evaluation import tuning
from colorization.runs.resolve import run_folder


def run(arguments: argparse.Namespace) -> None:
    """Measure every combination, print the chosen one, and make the new run.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the run is not usable, or a file cannot be written.
    """
    found = tuning.tune(
        run_folder(arguments.run),
        photographs=arguments.data,
        sizes=arguments.sizes,
        strengths=arguments.strengths,
        temperatures=arguments.temperatures,
        images=arguments.images,
        output=arguments.output,
        target=arguments.apply,
    )
    counted = f"{found.images} dev images, colorfulness {found.truth:.1f}"
    print(f"{counted}; all combinations are in {found.folder}")
    print("chosen: " + ", ".join(f"{name} {value:.4g}" for name, value in found.chosen.items()))
    if arguments.apply:
        print(arguments.apply)
