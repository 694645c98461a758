"""Time of color hints, samples and confidence, in one run with the time of a plain result.

    python benchmarks/hints.py --megapixels 0.5 2 12

The photograph is scikit-image's astronaut, enlarged. The prediction exists already. The time of a hint
includes the composition of the picture. The first hint factorizes the system. A further hint is at
a new place.
"""

import argparse
import time

import cv2
from common import print_table
from skimage import data

import colorization
from colorization.inference.hints import Hint


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.5, 2, 12])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    model = colorization.load("photos")
    model.colorize(data.astronaut())  # warm
    rows = [row for size in options.megapixels for row in measured(model, size, options.repeats)]
    print_table("photos", ["megapixels", "work", "seconds", "times a plain result"], rows)


def measured(model, megapixels, repeats):
    """Rows of the table for one size: the least time of each work."""
    side = round((megapixels * 1e6) ** 0.5)
    picture = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC)
    hints = [Hint(side * (3 + each) // 20, side // 3, (160, 110, 90)) for each in range(12)]
    plain = least(repeats, lambda: model.colorize(picture))
    hinted = [model.hinted(picture) for _ in range(repeats)]
    seconds = {
        "plain result": plain,
        "first hint": min(timed(lambda each=each: each.colorize(hints[:1])) for each in hinted),
        "further hint": min(timed(lambda n=n: hinted[0].colorize(hints[:n])) for n in range(2, 13)),
        "known hints (12)": least(repeats, lambda: hinted[0].colorize(hints)),
        "confidence": least(repeats, lambda: model.confidence(picture)),
        "four samples": least(repeats, lambda: list(model.samples(picture, 4))),
    }
    return [[f"{megapixels:g}", name, f"{time:.2f}", f"{time / plain:.1f}"] for name, time in seconds.items()]


def least(repeats, work):
    return min(timed(work) for _ in range(repeats))


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
