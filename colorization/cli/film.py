"""`colorize film`: color a film."""

import argparse
import json

from colorization.core.errors import InputError
from colorization.inference import film, loading


def run(arguments: argparse.Namespace) -> None:
    """Color a film and print the path of the new one."""
    film.check(arguments.path, arguments.output)
    if arguments.output.exists() and not arguments.overwrite:
        raise InputError(f"{arguments.output} already exists: pass --overwrite, or another name with -o.")
    model = loading.load(
        arguments.model,
        decoding=arguments.decoding,
        temperature=arguments.temperature,
        working_size=arguments.working_size,
    )
    fingerprint = model.fingerprint(*film.size(arguments.path))
    how = [arguments.decoding, arguments.temperature, arguments.working_size, fingerprint]
    smooth = not arguments.no_smoothing
    film.color(arguments.path, arguments.output, model.colorize, json.dumps(how), smooth=smooth)
    print(arguments.output)
