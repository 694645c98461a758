"""A training from the command line: parse, train, evaluate."""

import argparse
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

from colorization import evaluation, training  # lazy packages: train_and_evaluate imports Keras
from colorization.cli.console import run_command, start_keras
from colorization.cli.training_options import Training, add_options
from colorization.core.atomic_io import refuse_unwritable
from colorization.core.config import Config, override
from colorization.core.errors import printable
from colorization.core.typing import StrPath
from colorization.runs.folder import RunFolder


def train_and_evaluate(config: Config, run_dir: StrPath, *, resume: bool = False) -> str:
    """Train a config, and evaluate the run on the dev split.

    Args:
        config: a Config of a colorizer.
        run_dir: the run folder; new or empty unless `resume`.
        resume: whether to continue the run in the folder.

    Returns:
        The evaluation's table, as text.

    Raises:
        InputError: data, weights, folder or settings are not usable.
    """
    start_keras()
    run = training.train(config, run_dir, resume=resume)
    return evaluation.table(evaluation.evaluate(run.path, "dev"))


def main(chosen: Training, argv: list[str] | None = None) -> int:
    """Run an experiment file.

    Args:
        chosen: a Training.
        argv: arguments; None is the command line.

    Returns:
        Exit code: 0; 2 after an error message; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        description=chosen.description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, chosen)
    return run_command(run, chosen, parser.parse_args(argv))


def run(chosen: Training, arguments: argparse.Namespace) -> None:
    """Train and evaluate by the arguments of add_options, and print the evaluation.

    Args:
        chosen: a Training.
        arguments: the parsed command line.

    Raises:
        InputError: data, weights, folder or settings are not usable.
    """
    variant = arguments.variant or "small"
    config = chosen.variants[variant]
    run_dir = arguments.run_dir or Path("runs") / f"{chosen.name or config.task}-{variant}"
    if arguments.resume and not arguments.variant:
        config = _stored(run_dir, config)
    data = arguments.data
    if chosen.gather and data:
        refuse_unwritable(run_dir)  # before all photographs are read
        data = _function(chosen.gather)(data, override(config, arguments.set))
    short = {"data": data, "vgg_weights": arguments.vgg_weights}
    changes = [f"{key}={value}" for key, value in short.items() if value is not None]
    config = override(config, [*changes, *arguments.set])
    config.refuse_frozen_noise()

    print(_function(chosen.train)(config, run_dir, resume=arguments.resume))
    print(f"The run is in {printable(run_dir)}", file=sys.stderr)


def _function(named: str | Callable) -> Callable:
    """The function of "module:function"."""
    return pkgutil.resolve_name(named) if isinstance(named, str) else named


def _stored(run_dir, config):
    """The Config of the run to resume, which the command line changes; else `config`."""
    run = RunFolder(run_dir)
    same = run.exists() and run.config.task == config.task
    return run.config if same else config  # training refuses a run of another task
