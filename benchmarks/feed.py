"""The feed: images/s of the batches that training takes, with Lab, and with Lab and soft encoding.

    python benchmarks/feed.py
    KERAS_BACKEND=jax python benchmarks/feed.py      # without TensorFlow
    python benchmarks/feed.py --xla                  # TensorFlow's transform compiled for the CPU

The feeds take turns with the way of the original project: one image at a time through scikit-image, one pixel
at a time through list.index. benchmarks/training.py compares the feed with a training step.
"""

import argparse
import functools

import keras
import numpy as np
from batches import epoch_of_batches
from common import interleaved, print_machine, print_table, ratio
from skimage.color import rgb2lab

from colorization import datasets
from colorization.core import bins
from colorization.core.config import ClassificationConfig
from colorization.datasets import pipeline

LOOP = "loop over pixels"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="cifar10", help="as for training")
    parser.add_argument("--images", type=int, default=50_000, help="through a feed in each turn")
    parser.add_argument("--loop-images", type=int, default=100, help="through the loop in each turn")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--repetitions", type=int, default=7, help="turns of each")
    parser.add_argument("--xla", action="store_true", help="compile TensorFlow's transform for the CPU")
    options = parser.parse_args()

    images = datasets.load(options.data).train.images[: options.images]
    config = ClassificationConfig(batch_size=options.batch_size, flip=True)
    count = {LOOP: options.loop_images}
    calls = {LOOP: lambda: encode_pixel_by_pixel(images[: options.loop_images])}
    transforms = {"Lab": pipeline.to_lightness_and_ab, "Lab and soft encoding": to_lightness_and_bins}
    for name, transform in transforms.items():
        count[name] = len(images)
        calls[name] = functools.partial(exhaust, images, compiled(transform, options.xla), config)
    seconds, cpu_seconds = interleaved(calls, options.repetitions)
    rows = [
        [
            name,
            float(np.median(count[name] / seconds[name])),
            float(np.median(count[name] / cpu_seconds[name])),
            ratio(count[name] / seconds[name], count[LOOP] / seconds[LOOP]),
        ]
        for name in calls
    ]
    header = ["feed", "images/s", "images per CPU second", f"over the {LOOP}"]
    print_table(f"Feed on {keras.backend.backend()}", header, rows)
    print_machine()


def compiled(transform, xla):
    """The transform, compiled by XLA on TensorFlow if wanted."""
    if not xla:
        return transform
    import tensorflow as tf

    return tf.function(transform, jit_compile=True, autograph=False)


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
