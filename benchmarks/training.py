"""The parts of a training step in each experiment.

    python benchmarks/training.py
    python benchmarks/training.py --variant paper --repetitions 3    # on a GPU

Shows images/s of a complete step on a batch in memory. Shows its arithmetic (multiplications and additions of
convolutions and dense layers: one forward pass, two backward) as a share of the rate at which this machine
multiplies large matrices in the same precision. Then shows the parts of the step: the feed (it prepares a
batch in parallel with the previous step), the forward pass, and the loss with its gradient. The rest is the
backward pass and the update. Frozen blocks, which run once before the training, are left out.
"""

import argparse
import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from common import interleaved, print_machine, print_table
from keras import layers

from colorization.core import devices, losses
from colorization.datasets import pipeline
from colorization.models import tasks
from colorization.training import frozen_features
from vgg_eval import model as judge

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
EXPERIMENTS = ("regression", "classification", "transfer", "judge", "photos")
LOSSES = {
    "regression": losses.squared_error,
    "judge": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
}
SIDE = 4096  # of the matrices whose product is the yardstick


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variant", default="small")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--side", type=int, default=SIDE, help=f"of the matrices (default: {SIDE})")
    options = parser.parse_args()

    rows = []
    for name in EXPERIMENTS:
        settings = importlib.import_module(name).VARIANTS[options.variant]
        precision = devices.precision(settings.precision)
        work, calls = prepare(name, settings, precision)
        calls["product"] = product(precision, options.side)
        seconds, _ = interleaved(calls, options.repetitions)
        median = {part: float(np.median(seconds[part])) for part in calls}
        step = median["step"]
        peak = 2 * options.side**3 / median["product"]
        parts = [median[part] / step for part in ("feed", "forward", "loss")]
        shares = [*parts, 1 - parts[1] - parts[2]]
        rows.append(
            [name, precision, settings.batch_size / step, work / step / 1e9, f"{work / step / peak:.0%}"]
            + [f"{share:.0%}" for share in shares]
        )
    print_table(
        f"Training steps of the variant {options.variant}",
        [
            "experiment",
            "precision",
            "images/s",
            "GFLOP/s",
            "share of a matrix product",
            "input",
            "forward",
            "loss",
            "rest",
        ],
        rows,
    )
    print_machine()


def prepare(name, settings, precision):
    """(multiplications and additions, {part: function without arguments}) of an experiment's step."""
    keras.config.set_dtype_policy(precision)
    model = judge.build(settings, range(10)) if name == "judge" else tasks.of(settings).build(settings)
    place = None if settings.augmented else frozen_features.cut(model)
    model = model if place is None else frozen_features.head(model, place)
    keras.config.set_dtype_policy("float32")
    loss = LOSSES.get(name, losses.soft_cross_entropy)
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=devices.jit(settings.jit, None))
    feed = feed_of(name, settings)
    x, y = next(feed)
    if place is not None:
        x = np.random.default_rng(0).uniform(0, 1, (len(y), *model.input_shape[1:])).astype("float32")
    output = model.predict_on_batch(x)
    forward = tf.function(lambda x: tf.reduce_sum(model(x, training=True)))

    @tf.function
    def gradient(y, output):
        with tf.GradientTape() as tape:
            tape.watch(output)
            value = tf.reduce_mean(loss(y, output))
        return tf.reduce_sum(tape.gradient(value, output))

    x, y, output = map(tf.convert_to_tensor, (x, y, output))
    return 3 * arithmetic(model, x.shape) * len(x), {
        "step": lambda: model.train_on_batch(x, y),
        "feed": lambda: next(feed),
        "forward": lambda: forward(x).numpy(),
        "loss": lambda: gradient(y, output).numpy(),
    }


def feed_of(name, settings):
    """An endless iterator over the batches that training takes."""
    generator = np.random.default_rng(0)
    side = settings.crop_from or settings.image_size
    rgb = generator.integers(0, 256, (8 * settings.batch_size, side, side, 3), dtype=np.uint8)
    arrays, transform = (rgb,), pipeline.to_lightness_and_ab
    if name == "judge":
        arrays = (rgb, generator.integers(0, 10, len(rgb)))

        def transform(rgb, labels, flips):
            return judge.enlarged(pipeline.mirrored(rgb, flips), settings.vgg_size), labels

    batches = pipeline.training_batches(
        arrays,
        transform,
        batch_size=settings.batch_size,
        seed=0,
        epochs=10**6,
        flip=settings.flip,
        crop=settings.image_size if settings.crop_from else None,
    )
    return iter(batches)


def product(precision, side):
    """A function that multiplies two large matrices in a precision."""
    dtype = precision.removeprefix("mixed_")
    matrix = tf.cast(tf.random.normal((side, side)), dtype)
    multiply = tf.function(lambda x: tf.reduce_sum(x @ x))
    return lambda: multiply(matrix).numpy()


def arithmetic(model, shape):
    """Multiplications and additions of one image's pass forward through convolutions and dense layers.

    Args:
        model: a chain of layers.
        shape: of its input, the batch included.
    """
    total = 0
    for layer in model.layers[1:]:
        new = layer.compute_output_shape(shape)
        if isinstance(layer, layers.Conv2D | layers.Dense):  # a transposed convolution is a Conv2D to Keras
            side = shape if isinstance(layer, layers.Conv2DTranspose) else new
            total += 2 * int(np.prod(layer.kernel.shape)) * int(np.prod(side[1:-1]))
        shape = new
    return total


if __name__ == "__main__":
    main()
