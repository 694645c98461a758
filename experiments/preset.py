"""A trained run -> a preset that comes with the package.

    python experiments/preset.py runs/photos-fine photos --title "..." --data "..." --bad-at "..." \
        --command "..." --onnx                                # or colorize presets make
    python experiments/preset.py runs/vgg-small cifar10-judge --title "..." --data "..." --bad-at "..." \
        --command "..."

experiments/shipped.py makes each shipped preset from start to end.
"""

import sys

from colorization.cli import main as colorize
from colorization.cli.console import run_script


def main(argv=None):
    """Run `colorize presets make`; returns the exit code."""
    return colorize.main(["presets", "make", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    run_script(main)
