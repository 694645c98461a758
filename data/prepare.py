#!/usr/bin/env python
"""Prepare a data set: the same as `colorize prepare`, for a checkout without installation."""

import argparse
import pkgutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from colorization.cli.console import run_command, run_script
from colorization.cli.training_arguments import add_data_sets


def main(argv: list[str] | None = None) -> int:
    """Parse and prepare; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_sets(parser)
    arguments = parser.parse_args(argv)
    return run_command(pkgutil.resolve_name(arguments.function), arguments)


if __name__ == "__main__":
    run_script(main)
