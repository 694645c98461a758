"""The command line that all experiments share: parse, train, evaluate."""

import argparse
import sys
from pathlib import Path

from colorization.cli.console import run_command, start_keras
from colorization.core import config


def train_and_evaluate(settings, run_dir, *, resume=False):
    """training.train, then evaluation.evaluate on the dev split; returns the latter's table as text."""
    start_keras()
    from colorization.evaluation import evaluate
    from colorization.training import train

    train.train(settings, run_dir, resume=resume)
    return evaluate.table(evaluate.evaluate(run_dir, "dev"))


def main(doc, presets, argv=None, train=train_and_evaluate, *, name=None, gather=None):
    """Run an experiment file.

    Args:
        doc: the file's docstring, shown by --help.
        presets: {name: Config}.
        argv: arguments; None takes the command line's.
        train: function of a Config, a run folder and resume, that returns what is printed in the end.
        name: of the run folder, before the preset's; None takes the task's.
        gather: function of folders and the Config, that makes a data set of them: --data then takes any
            number of folders.

    Returns:
        Exit code: 0, or 2 after one sentence on standard error, or 130 when interrupted.
    """
    parser = _parser(doc, presets, gather)
    return run_command(_run, parser.parse_args(argv), presets, train, name, gather)


def _parser(doc, presets, gather):
    small = presets["small"]
    parser = argparse.ArgumentParser(
        description=doc,
        epilog="fields for --set, with their values in the preset small:\n" + config.describe(small),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", choices=presets, help="the settings to start from (default: small)")
    if gather:
        parser.add_argument("--data", nargs="+", metavar="FOLDER", help="folders of images, nested or flat")
    else:
        parser.add_argument("--data", metavar="SOURCE", help="cifar10, cifar100, synthetic or a path")
    if hasattr(small, "frozen_blocks"):
        parser.add_argument(
            "--vgg-weights", metavar="SOURCE", help="imagenet, none, a file, or a judge's run folder"
        )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="default: runs/NAME-PRESET")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field")
    return parser


def _run(arguments, presets, train, name, gather):
    preset = arguments.preset or "small"
    settings = presets[preset]
    run_dir = arguments.run_dir or Path("runs") / f"{name or settings.task}-{preset}"
    if arguments.resume and not arguments.preset:
        settings = _stored(run_dir, settings)
    changed = config.override(settings, arguments.set)
    if gather and arguments.data:
        arguments.data = gather(arguments.data, changed)
    short = {name: getattr(arguments, name, None) for name in ("data", "vgg_weights")}
    changes = [f"{name}={value}" for name, value in short.items() if value is not None]
    settings = config.override(settings, [*changes, *arguments.set])
    config.refuse_frozen_noise(settings)

    print(train(settings, run_dir, resume=arguments.resume))
    print(f"The run is in {run_dir}", file=sys.stderr)


def _stored(run_dir, settings):
    """The settings of the run to resume, which those of the command line are changes to; else `settings`."""
    path = run_dir / config.FILE
    return config.read(path, {settings.task: type(settings)}) if path.exists() else settings
