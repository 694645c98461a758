"""A trained run -> a preset that comes with the package.

    python experiments/preset.py runs/photos-fine photos --title "..." --data "..." --bad-at "..." \
        --command "..." --onnx
    python experiments/preset.py runs/vgg-small cifar10-judge --title "..." --data "..." --bad-at "..." \
        --command "..."

Weights are rounded to float16 (those of one dimension are kept), the card tells data, settings, command and
metrics, and every file gets its checksum. --onnx adds the run as ONNX, by which `colorize image` is done in
about a second. --set changes what may differ from the training: working_size, temperature, and what
vgg_weights is called.
"""

import argparse
import sys
from pathlib import Path

import vgg_eval.config  # noqa: F401 - so that a judge's settings are known
from colorization import export  # lazy: make() imports Keras
from colorization.cli.console import run_command, start_keras
from colorization.runs.resolve import PRESETS


def main(argv=None):
    """Parse and make the preset; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run folder")
    parser.add_argument("name", metavar="NAME", help="of the preset; an older one is replaced")
    parser.add_argument("--title", required=True, help="what it is, in a line")
    parser.add_argument("--data", required=True, help="what it was trained on, in a line")
    parser.add_argument("--bad-at", required=True, help="what it does not do well, in a line or more")
    parser.add_argument("--command", required=True, help="the command that trained it")
    parser.add_argument("--onnx", action="store_true", help="add the run as ONNX")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field")
    parser.add_argument("--to", type=Path, default=PRESETS, metavar="DIR", help="default: the package")
    return run_command(make, parser.parse_args(argv))


def make(arguments):
    """Write the preset and print its path."""
    start_keras()
    card = export.Card(arguments.title, arguments.data, arguments.bad_at, arguments.command)
    target = arguments.to / arguments.name
    export.make_preset(arguments.run, target, card, changes=arguments.set, onnx=arguments.onnx)
    print(target)


if __name__ == "__main__":
    sys.exit(main())
