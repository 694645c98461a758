"""The report's Figure 7: how well a judge classifies what each method makes of grey images.

    python data/prepare.py cifar10
    python experiments/figure7.py --preset small
    python experiments/figure7.py --regression RUN --classification RUN

Trains what is not given (with --preset small about three hours on 2 CPU cores that compute in bfloat16, the
first time, and seven to eight on others), colours the test images by every method, and writes figure7.md,
.csv, .json and .png, confusion.png and temperature.png (two to eleven minutes). At small, expect 80 % on grey
images, 85 % on true ones, and the colorizers at most a point above grey. May be stopped at any time: the same
command goes on where it was. A judge that is trained on grey images is the control: if colour helps only the
first one, it is the judge that depends on it.
"""

import sys

import classification
import regression
import transfer
import vgg

from colorization.command import run_command, start_keras
from vgg_eval import chain

GREY = {name: vgg.PRESETS[f"{name}-grey"] for name in vgg.COLOUR}
PRESETS = {
    "judge": vgg.COLOUR,
    "control": GREY,
    "regression": regression.PRESETS,
    "classification": classification.PRESETS,
    "transfer": transfer.PRESETS,
}


def main(argv=None):
    """Train what is missing, judge, write; returns the exit code."""
    arguments = chain.parser(__doc__).parse_args(argv)
    return run_command(_write, arguments)


def _write(arguments):
    planned, output = chain.plan(arguments, PRESETS), chain.output(arguments)
    start_keras()
    from vgg_eval import report

    print(report.figure7(chain.run(planned), output, arguments.split))
    print(f"All is in {output}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
