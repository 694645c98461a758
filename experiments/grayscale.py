"""The reasons for the paper's 22 % accuracy on gray images: their scale, and the judge's training images.

    python experiments/grayscale.py runs/judge-small runs/judge-small-gray
    python experiments/grayscale.py runs/judge-small cifar10-judge -o grayscale

The original code stored the gray images on a scale of 0 to 1 and the colored ones on 0 to 255. Its judge
subtracts the same mean RGB from both. Each named judge sees its own test images, true and gray, on both
scales: all of them, and the first 1,000, as many as the paper had. Writes grayscale.md and grayscale.json.
`python -m vgg_eval.grayscale` does the same without a checkout.
"""

from colorization.cli.console import run_script
from vgg_eval import grayscale


def main(argv=None):
    """Parse and judge; returns the exit code."""
    return grayscale.main(argv, __doc__)


if __name__ == "__main__":
    run_script(main)
