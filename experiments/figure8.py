"""The paper's Figure 8: every method over the same images, and what the judge says of each picture.

    python experiments/figure8.py --variant small
    python experiments/figure8.py --variant small --images 3,14,159
    python experiments/figure8.py --variant small --failures 5

Takes and trains the same runs as figure7.py. The images are drawn by --seed from the test split, or named by
their places in it. Half a minute where the runs are there. --failures writes failures.png instead: the images
for which the judge's probability of the true class falls most from the gray picture to the annealed mean.
"""

import sys

from figure7 import VARIANTS

from colorization.cli.console import run_command, start_keras, whole_number
from vgg_eval import plan


def main(argv=None):
    """Train what is missing, judge, draw; returns the exit code."""
    parser = plan.parser(__doc__)
    parser.add_argument("--seed", type=whole_number, default=0, help="draws the images (default: 0)")
    parser.add_argument("--columns", type=whole_number, default=12, help="how many images (default: 12)")
    parser.add_argument(
        "--images", type=_numbers, metavar="I,J,...", help="these images of the split instead"
    )
    parser.add_argument("--failures", type=whole_number, metavar="N", help="the N images harmed most instead")
    arguments = parser.parse_args(argv)
    if 0 in (arguments.columns, arguments.failures):
        parser.error("--columns and --failures are at least 1")
    if arguments.images and arguments.failures:
        parser.error("--images and --failures exclude each other")
    return run_command(_draw, arguments)


def _draw(arguments):
    planned, output = plan.plan(arguments, VARIANTS), plan.output(arguments)
    start_keras()
    from vgg_eval import chain, figure7

    used = chain.run(planned)
    if arguments.failures:
        print(figure7.failures(used, output, arguments.split, count=arguments.failures))
        return
    print(
        figure7.figure8(
            used,
            output,
            arguments.split,
            rows=arguments.images,
            columns=arguments.columns,
            seed=arguments.seed,
        )
    )


def _numbers(text):
    return [whole_number(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
