"""The functions of `colorize train judge`, `colorize figure7` and `colorize figure8`."""

import argparse
import sys

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
    print(vgg_eval.figure7.figure7(vgg_eval.chain.run(planned), output, arguments.split))
    print(f"All results are in {output}", file=sys.stderr)


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
    used = vgg_eval.chain.run(planned)
    if arguments.failures:
        path = vgg_eval.figure7.failures(used, output, arguments.split, count=arguments.failures)
    else:
        path = vgg_eval.figure7.figure8(
            used,
            output,
            arguments.split,
            rows=arguments.images,
            columns=arguments.columns,
            seed=arguments.seed,
        )
    print(path)
