"""Block 9, the 1x1 convolution onto the bins, against a dense layer on every pixel.

    python benchmarks/block9.py --precision auto

Measures complete training steps of the classification in experiments/classification.py, alternately with the
model and with a copy whose last layer is keras.layers.Dense with the same weights. Both have the same loss.
"""

import argparse
import sys
from pathlib import Path

import keras
import numpy as np
from common import interleaved, print_machine, print_table, ratio
from keras import layers

from colorization.core import devices, losses
from colorization.models import tasks

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
import classification


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variant", choices=classification.VARIANTS, default="small")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--precision", default="float32", help="as the setting: auto, float32, ...")
    options = parser.parse_args()

    settings = classification.VARIANTS[options.variant]
    keras.config.set_dtype_policy(devices.precision(options.precision))
    convolution = tasks.of(settings).build(settings)
    dense = keras.models.clone_model(convolution, clone_function=as_dense)
    for layer, copy in zip(convolution.layers, dense.layers, strict=True):
        copy.set_weights([w.reshape(v.shape) for w, v in zip(layer.get_weights(), copy.weights, strict=True)])
    models = {"dense": dense, "Conv2D": convolution}
    rng = np.random.default_rng(0)
    shape = (settings.batch_size, settings.image_size, settings.image_size)
    lightness = rng.uniform(0, 100, (*shape, 1)).astype("float32")
    ab = rng.uniform(-60, 60, (*shape, 2)).astype("float32")
    for model in models.values():
        model.compile(keras.optimizers.Adam(1e-4), losses.soft_cross_entropy)
    first = {name: float(model.test_on_batch(lightness, ab)) for name, model in models.items()}
    steps = {name: lambda model=model: model.train_on_batch(lightness, ab) for name, model in models.items()}
    seconds, cpu_seconds = interleaved(steps, options.repetitions)
    precision = keras.config.dtype_policy().name
    print_table(
        f"A training step of the classification, variant {options.variant}, {precision}",
        ["block 9", "seconds", "images/s", "loss before training"],
        [
            [name, float(np.median(taken)), settings.batch_size / float(np.median(taken)), first[name]]
            for name, taken in seconds.items()
        ],
    )
    print(f"\nConv2D over dense: {ratio(seconds['Conv2D'], seconds['dense'])}")
    print(f"CPU seconds, Conv2D over dense: {ratio(cpu_seconds['Conv2D'], cpu_seconds['dense'])}")
    print_machine()


def as_dense(layer):
    """A copy of a layer. The convolution of block 9 is copied as the equal dense layer."""
    if layer.name != "block9_conv":
        return layer.__class__.from_config(layer.get_config())
    return layers.Dense(layer.filters, name=layer.name)


if __name__ == "__main__":
    main()
