"""The options of a training on the command line; quick to import, for --help."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from colorization.cli.console import path
from colorization.core.config import Config, VggConfig, describe


class Training(NamedTuple):
    """A training with a command line. A function is given as an object or as "module:function".

    Attributes:
        description: shown by --help.
        variants: {name: Config}; one is named "small", the default.
        train: function of a Config, a run folder and resume. It returns the text to print.
        name: of the run folder, before that of the variant; None is the name of the task.
        gather: function of folders and the Config that makes a data set of them. --data then accepts any
            number of folders.
    """

    description: str | None
    variants: Mapping[str, Config]
    train: str | Callable[..., str] = "colorization.cli.experiment:train_and_evaluate"
    name: str | None = None
    gather: str | Callable | None = None


class _DeprecatedOption(argparse.Action):
    """The old name of an option."""

    def __call__(self, parser, namespace, values, option_string=None):
        print(f"{option_string} is deprecated: use --{self.dest}.", file=sys.stderr)
        setattr(namespace, self.dest, values)


def add_options(parser: argparse.ArgumentParser, chosen: Training) -> None:
    """Add the options of a training to a parser.

    Args:
        parser: the argparse parser.
        chosen: the Training.
    """
    small = chosen.variants["small"]
    parser.epilog = "settings for --set, with their values in the variant small:\n" + describe(small)
    add_variant(parser, chosen.variants, "the settings to start from (default: small)")
    if chosen.gather:
        parser.add_argument("--data", nargs="+", metavar="FOLDER", help="folders of images, nested or flat")
    else:
        parser.add_argument("--data", metavar="SOURCE", help="cifar10, cifar100, synthetic or a path")
    if isinstance(small, VggConfig):
        parser.add_argument(
            "--vgg-weights", metavar="SOURCE", help="imagenet, none, a file, or a judge's run folder"
        )
    else:
        parser.set_defaults(vgg_weights=None)
    name = chosen.name or small.task
    parser.add_argument("--run-dir", type=path, metavar="DIR", help=f"default: runs/{name}-VARIANT")
    parser.add_argument("--resume", action="store_true", help="continue the run in --run-dir")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")


def add_variant(
    parser: argparse.ArgumentParser, variants: Collection[str], help: str, default: str | None = None
) -> None:
    """Add --variant to a parser, and --preset, its old name.

    Args:
        parser: the argparse parser.
        variants: names of the variants.
        help: text for --help.
        default: name of the default variant, or None.
    """
    known: dict = {"type": _american, "choices": variants, "default": default}
    parser.add_argument("--variant", **known, help=help)
    parser.add_argument("--preset", **known, dest="variant", action=_DeprecatedOption, help=argparse.SUPPRESS)


def _american(variant):
    """Parse the name of a variant, for argparse. Old spellings are converted."""
    if "grey" in variant:
        new = variant.replace("grey", "gray")
        print(f"{variant} is deprecated: use {new}.", file=sys.stderr)
        return new
    return variant
