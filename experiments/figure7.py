"""The paper's Figure 7: how well a judge classifies what each method makes of gray images.

    python data/prepare.py cifar10
    python experiments/figure7.py --variant small
    python experiments/figure7.py --regression RUN --classification RUN

Trains what is not given (with --variant small about three hours on 2 CPU cores that compute in bfloat16, the
first time, and seven to eight on others), colors the test images by every method, and writes figure7.md,
.csv, .json and .png, confusion.png and temperature.png (two to eleven minutes). At small, expect 80 % on gray
images, 85 % on true ones, and the colorizers at most a point above gray. May be stopped at any time: the same
command goes on where it was. A judge that is trained on gray images is the control: if color helps only the
first one, it is the judge that depends on it.
"""

import sys

import classification
import judge
import regression
import transfer

from colorization.cli.console import run_command, start_keras
from vgg_eval import plan

VARIANTS = {
    "judge": judge.COLOR,
    "control": {name: judge.VARIANTS[f"{name}-gray"] for name in judge.COLOR},
    "regression": regression.VARIANTS,
    "classification": classification.VARIANTS,
    "transfer": transfer.VARIANTS,
}


def main(argv=None):
    """Train what is missing, judge, write; returns the exit code."""
    return run_command(_write, plan.parser(__doc__).parse_args(argv))


def _write(arguments):
    planned, output = plan.plan(arguments, VARIANTS), plan.output(arguments)
    start_keras()
    from vgg_eval import chain, figure7

    print(figure7.figure7(chain.run(planned), output, arguments.split))
    print(f"All results are in {output}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
