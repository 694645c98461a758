"""The feed: images/s of the batches that training takes, with Lab, and with Lab and soft encoding.

    python benchmarks/feed.py
    KERAS_BACKEND=jax python benchmarks/feed.py      # without TensorFlow

On a CPU, TensorFlow's feed is compiled by XLA, see devices.compiled. It takes turns with the feed without
XLA, and with the way of the original project: one image at a time through scikit-image, one pixel at a time
through list.index. benchmarks/training.py compares the feed with a training step.
"""

import argparse
import functools

import keras
import numpy as np
from batches import epoch_of_batches
from common import interleaved, print_machine, print_table, ratio
from skimage.color import rgb2lab

from colorization import datasets
from colorization.core import bins, devices
from colorization.core.config import ClassificationConfig
from colorization.datasets import pipeline

LOOP = "loop over pixels"
PLAIN = "Lab and soft encoding without XLA"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="cifar10", help="as for training")
    parser.add_argument("--images", type=int, default=50_000, help="through a feed in each turn")
    parser.add_argument("--loop-images", type=int, default=100, help="through the loop in each turn")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--repetitions", type=int, default=7, help="turns of each")
    options = parser.parse_args()

    images = datasets.load(options.data).train.images[: options.images]
    config = ClassificationConfig(batch_size=options.batch_size, flip=True)
    count = {LOOP: options.loop_images}
    calls = {LOOP: lambda: encode_pixel_by_pixel(images[: options.loop_images])}
    transforms = {
        "Lab": devices.compiled(pipeline.to_lightness_and_ab, config.jit),
        "Lab and soft encoding": devices.compiled(to_lightness_and_bins, config.jit),
    }
    if keras.backend.backend() == "tensorflow":
        transforms[PLAIN] = to_lightness_and_bins
    for name, transform in transforms.items():
        count[name] = len(images)
        calls[name] = functools.partial(exhaust, images, transform, config)
    seconds, cpu_seconds = interleaved(calls, options.repetitions)
    rates = {name: count[name] / seconds[name] for name in calls}
    rows = [
        [
            name,
            float(np.median(rate)),
            float(np.median(count[name] / cpu_seconds[name])),
            ratio(rate, rates[LOOP]),
            ratio(rate, rates[PLAIN]) if PLAIN in rates else "",
        ]
        for name, rate in rates.items()
    ]
    header = ["feed", "images/s", "images per CPU second", f"over the {LOOP}", "over no XLA"]
    print_table(f"Feed on {keras.backend.backend()}", header, rows)
    print_machine()


def exhaust(images, transform, config):
    """Make all batches of an epoch, and wait for the last one."""
    for lightness, _ in epoch_of_batches((images,), transform, config):
        last = lightness
    return np.asarray(last)


def to_lightness_and_bins(rgb, flips):
    """As pipeline.to_lightness_and_ab, the ab soft-encoded."""
    lightness, ab = pipeline.to_lightness_and_ab(rgb, flips)
    return lightness, bins.soft_encode(ab)


BINS = bins.CENTERS.astype(int).tolist()


def encode_pixel_by_pixel(images):
    """The bin of each pixel, as the original project found it."""
    return [np.vectorize(bin_of)(*np.moveaxis(rgb2lab(image)[..., 1:], -1, 0)) for image in images]


def bin_of(a, b):
    """Floor-divided a and b, looked up in the list of all bins."""
    pair = [a // bins.STEP * bins.STEP, b // bins.STEP * bins.STEP]
    try:
        return BINS.index(pair)
    except ValueError:  # off the edge
        return nearest_bin(*pair)


@functools.cache
def nearest_bin(a, b):
    """The bin next to a point of the lattice that is none."""
    return int(np.argmin(((bins.CENTERS - (a, b)) ** 2).sum(axis=1)))


if __name__ == "__main__":
    main()
