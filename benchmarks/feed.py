"""Input pipeline with Lab and soft encoding: its rate against a loop over pixels, and its cost.

    python benchmarks/feed.py

Rate: images/s of pipeline.training_batches with bins.soft_encode in its transform, against the code of the
original project: one image at a time through scikit-image, one pixel at a time through list.index. The target
is 50 times as many.

Cost: seconds of a classification step of width 1 on this machine, with three inputs: one batch in memory that
is encoded already, the pipeline of the first part, and the project's own feed, whose soft encoding is part of
the loss. The three are measured alternately. Each feed starts again in each turn, and makes only the batches
of this turn. So no batch is made during another's turn. The target is at most 5 % more.
"""

import argparse
import functools

import keras
import numpy as np
import tensorflow as tf
from common import interleaved, print_machine, print_table, ratio
from skimage.color import rgb2lab

from colorization import datasets, models
from colorization.core import bins, losses
from colorization.datasets import pipeline


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="cifar10", help="as for training")
    parser.add_argument("--images", type=int, default=50_000, help="through the pipeline in each turn")
    parser.add_argument("--loop-images", type=int, default=100, help="through the loop in each turn")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--repetitions", type=int, default=7, help="turns of either part")
    parser.add_argument("--steps", type=int, default=3, help="training steps in each turn; 0: no such part")
    parser.add_argument("--step-batch-size", type=int, default=32, help="images in a training step")
    options = parser.parse_args()

    images = datasets.load(options.data).train.images
    compare_with_loop(images, options)
    if options.steps:
        compare_steps(images[: options.steps * options.step_batch_size], options)
    print_machine()


def compare_with_loop(images, options):
    """Print images/s of the pipeline and of the loop over pixels."""
    count = {"pipeline": options.images, "loop over pixels": options.loop_images}
    batches = batches_of(images[: options.images], to_lightness_and_bins, options.batch_size)
    calls = {
        "pipeline": lambda: exhaust(batches),
        "loop over pixels": lambda: encode_pixel_by_pixel(images[: options.loop_images]),
    }
    seconds, cpu_seconds = interleaved(calls, options.repetitions)
    rate = {name: count[name] / seconds[name] for name in calls}
    cpu_rate = {name: count[name] / cpu_seconds[name] for name in calls}
    print_table(
        "Lab and soft encoding",
        ["method", "images/s", "images per CPU second"],
        [[name, float(np.median(rate[name])), float(np.median(cpu_rate[name]))] for name in calls],
    )
    print(f"\npipeline over loop: {ratio(*rate.values())}, by CPU seconds {ratio(*cpu_rate.values())}")


def compare_steps(images, options):
    """Print the cost of the feed in a training step."""
    encoded = batches_of(images, to_lightness_and_bins, options.step_batch_size)
    plain = batches_of(images, pipeline.to_lightness_and_ab, options.step_batch_size)
    in_memory = [next(iter(encoded))] * options.steps
    step = training_step(lambda target, logits: losses.sparse_cross_entropy(*target, logits))
    encoding_step = training_step(losses.soft_cross_entropy)
    feeds = {
        "a batch in memory, encoded": functools.partial(exhaust, in_memory, step),
        "pipeline with Lab and soft encoding": functools.partial(exhaust, encoded, step),
        "pipeline with Lab, encoding in the loss": functools.partial(exhaust, plain, encoding_step),
    }
    seconds, cpu_seconds = interleaved(feeds, options.repetitions)
    _, alone = interleaved({"pipeline": lambda: exhaust(encoded)}, options.repetitions)
    memory = next(iter(feeds))
    rows = [
        [name, *compared(seconds, name, memory, options), *compared(cpu_seconds, name, memory, options)]
        for name in feeds
    ]
    print_table(
        f"A training step of {options.step_batch_size} images at width 1",
        ["fed from", "seconds", "added, %", "CPU seconds", "added, %"],
        rows,
    )
    batch = np.median(alone["pipeline"])
    print(f"\nthe pipeline alone takes {batch / options.steps:.3g} CPU seconds for such a batch: ", end="")
    print(f"{100 * batch / np.median(cpu_seconds[memory]):.3g} % of the CPU seconds, ", end="")
    print(f"{100 * batch / np.median(seconds[memory]):.3g} % of the seconds of a step fed from memory")


def compared(seconds, name, memory, options):
    """Seconds of a step, and the percentage added to the one fed from memory."""
    added = 100 * (seconds[name] - seconds[memory])
    return float(np.median(seconds[name])) / options.steps, ratio(added, seconds[memory])


def batches_of(images, transform, batch_size):
    """One epoch of training batches."""
    return pipeline.training_batches((images,), transform, batch_size=batch_size, seed=0, epochs=1)


def to_lightness_and_bins(rgb, flips):
    """As pipeline.to_lightness_and_ab, the ab soft-encoded."""
    lightness, ab = pipeline.to_lightness_and_ab(rgb, flips)
    return lightness, bins.soft_encode(ab)


def exhaust(batches, step=lambda lightness, target: None):
    """Run a step on each batch, to its end."""
    for batch in batches:
        last = step(*batch)
    return last if last is None else last.numpy()


def training_step(loss):
    """(L, target) -> loss after one step of Adam on a new classification model of width 1."""
    model = models.classification()
    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(lightness, target):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(target, model(lightness, training=True)))
        optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
        return value

    return step


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
