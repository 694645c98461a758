"""The functions of `colorize train judge`, `colorize figure7` and `colorize figure8`."""

import argparse
import sys
import time

import vgg_eval
from colorization.cli.console import start_keras
from colorization.core.atomic_io import refuse_unwritable
from colorization.core.typing import StrPath
from vgg_eval import options, plan
from vgg_eval.config import JudgeConfig
from vgg_eval.variants import FIGURES


def train_and_score(config: JudgeConfig, run_dir: StrPath, *, resume: bool = False) -> str:
    """Train a judge, and measure it on dev images.

    Args:
        config: a JudgeConfig.
        run_dir: path of the run folder.
        resume: whether to continue the run in the folder.

    Returns:
        Its accuracy, as text.

    Raises:
        InputError: data, weights, folder or settings are not usable.
    """
    start_keras()
    run = vgg_eval.training.train_judge(config, run_dir, resume=resume)
    report = vgg_eval.judge.evaluate(run.path)
    return f"Accuracy on {report['images']} dev images: {report['truth']:.1%}, made gray {report['gray']:.1%}"


def figure7(arguments: argparse.Namespace) -> None:
    """Train the missing runs, and write and print Figure 7.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: a run is not usable, or the results cannot be written.
    """
    planned, output = plan.plan(arguments, FIGURES), options.output(arguments)
    refuse_unwritable(output)  # before the trainings
    start_keras()
    used = vgg_eval.chain.run(planned)
    print(vgg_eval.figure7.figure7(used, output, arguments.split, temperature=arguments.temperature))
    print(f"All results are in {output}", file=sys.stderr)


def architecture(arguments: argparse.Namespace) -> None:
    """Draw one of Figures 3 to 6, and print its path.

    Args:
        arguments: the parsed command line.
    """
    path = arguments.output / f"figure{arguments.figure}.png"
    refuse_unwritable(arguments.output)
    start_keras()
    print(vgg_eval.architectures.write(arguments.figure, arguments.variant, path))


def figure8(arguments: argparse.Namespace) -> None:
    """Train the missing runs, and draw Figure 8 or its failures.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: a run is not usable, or the results cannot be written.
    """
    planned, output = plan.plan(arguments, FIGURES), options.output(arguments)
    refuse_unwritable(output)  # before the trainings
    start_keras()
    used, begun = vgg_eval.chain.run(planned), time.monotonic()
    temperature = arguments.temperature
    if arguments.failures:
        path = vgg_eval.figure7.failures(
            used, output, arguments.split, count=arguments.failures, temperature=temperature
        )
    else:
        path = vgg_eval.figure7.figure8(
            used,
            output,
            arguments.split,
            rows=arguments.images,
            columns=arguments.columns,
            seed=arguments.seed,
            temperature=temperature,
        )
    print(path)
    hint = " --temperature T omits the search of temperatures." if temperature is None else ""
    print(f"The figure took {time.monotonic() - begun:.0f} seconds.{hint}", file=sys.stderr)
