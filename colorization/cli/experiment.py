"""The command line of all experiments: parse, train, evaluate."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from colorization import evaluation, training  # lazy packages: train_and_evaluate imports Keras
from colorization.cli.console import run_command, start_keras
from colorization.core.config import Config, VggConfig, describe, override
from colorization.core.typing import StrPath
from colorization.runs.folder import RunFolder


def train_and_evaluate(config: Config, run_dir: StrPath, *, resume: bool = False) -> str:
    """Train a config, and evaluate the run on the dev split.

    Returns:
        The evaluation's table, as text.
    """
    start_keras()
    run = training.train(config, run_dir, resume=resume)
    return evaluation.table(evaluation.evaluate(run.path, "dev"))


def main(
    doc: str | None,
    variants: Mapping[str, Config],
    argv: list[str] | None = None,
    train: Callable = train_and_evaluate,
    *,
    name: str | None = None,
    gather: Callable | None = None,
) -> int:
    """Run an experiment file.

    Args:
        doc: the file's docstring, shown by --help.
        variants: {name: Config}; one is named "small", the default.
        argv: arguments; None takes the command line's.
        train: function of a Config, a run folder and resume, that returns the text to be printed.
        name: of the run folder, before the variant's; None takes the task's.
        gather: function of folders and the Config, that makes a data set of them: --data then takes any
            number of folders.

    Returns:
        Exit code: 0, or 2 after one sentence on standard error, or 130 when interrupted.
    """
    parser = _parser(doc, variants, gather)
    return run_command(_run, parser.parse_args(argv), variants, train, name, gather)


class _DeprecatedOption(argparse.Action):
    """An option that stands for one with a new name."""

    def __call__(self, parser, namespace, values, option_string=None):
        print(f"{option_string} is deprecated: use --{self.dest}.", file=sys.stderr)
        setattr(namespace, self.dest, values)


def _parser(doc, variants, gather):
    small = variants["small"]
    parser = argparse.ArgumentParser(
        description=doc,
        epilog="fields for --set, with their values in the variant small:\n" + describe(small),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_variant(parser, variants, "the settings to start from (default: small)")
    if gather:
        parser.add_argument("--data", nargs="+", metavar="FOLDER", help="folders of images, nested or flat")
    else:
        parser.add_argument("--data", metavar="SOURCE", help="cifar10, cifar100, synthetic or a path")
    if isinstance(small, VggConfig):
        parser.add_argument(
            "--vgg-weights", metavar="SOURCE", help="imagenet, none, a file, or a judge's run folder"
        )
    else:
        parser.set_defaults(vgg_weights=None)
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="default: runs/NAME-VARIANT")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field")
    return parser


def add_variant(
    parser: argparse.ArgumentParser, variants: Collection[str], help: str, default: str | None = None
) -> None:
    """Add --variant to an argparse parser, and --preset, its old name."""
    known: dict = {"type": _american, "choices": variants, "default": default}
    parser.add_argument("--variant", **known, help=help)
    parser.add_argument("--preset", **known, dest="variant", action=_DeprecatedOption, help=argparse.SUPPRESS)


def _american(variant):
    """For argparse: the name of a variant, in the spelling of today."""
    if "grey" in variant:
        new = variant.replace("grey", "gray")
        print(f"{variant} is deprecated: use {new}.", file=sys.stderr)
        return new
    return variant


def _run(arguments, variants, train, name, gather):
    variant = arguments.variant or "small"
    config = variants[variant]
    run_dir = arguments.run_dir or Path("runs") / f"{name or config.task}-{variant}"
    if arguments.resume and not arguments.variant:
        config = _stored(run_dir, config)
    data = arguments.data
    if gather and data:
        data = gather(data, override(config, arguments.set))
    short = {"data": data, "vgg_weights": arguments.vgg_weights}
    changes = [f"{key}={value}" for key, value in short.items() if value is not None]
    config = override(config, [*changes, *arguments.set])
    config.refuse_frozen_noise()

    print(train(config, run_dir, resume=arguments.resume))
    print(f"The run is in {run_dir}", file=sys.stderr)


def _stored(run_dir, config):
    """The Config of the run to resume, which the command line changes; else `config`."""
    run = RunFolder(run_dir)
    same = run.exists() and run.config.task == config.task
    return run.config if same else config  # training refuses a run of another task
