"""Block 9, the 1x1 convolution onto the bins, as a dense layer on every pixel against a Conv2D.

    python benchmarks/block9.py

Measures complete training steps of the classification in experiments/classification.py, alternately with the
model and with a copy whose last layer is keras.layers.Conv2D with the same weights. Both have the same loss.
"""

import argparse
import sys
from pathlib import Path

import keras
import numpy as np
from common import interleaved, print_machine, print_table, ratio
from keras import layers

from colorization.core import losses
from colorization.models import tasks

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
import classification


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variant", choices=classification.VARIANTS, default="small")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()

    settings = classification.VARIANTS[options.variant]
    dense = tasks.of(settings).build(settings)
    convolution = keras.models.clone_model(dense, clone_function=convolved)
    for layer, copy in zip(dense.layers, convolution.layers, strict=True):
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
    seconds, _ = interleaved(steps, options.repetitions)
    print_table(
        f"A training step of the classification, variant {options.variant}",
        ["block 9", "seconds", "images/s", "loss before training"],
        [
            [name, float(np.median(taken)), settings.batch_size / float(np.median(taken)), first[name]]
            for name, taken in seconds.items()
        ],
    )
    print(f"\nConv2D over dense: {ratio(seconds['Conv2D'], seconds['dense'])}")
    print_machine()


def convolved(layer):
    """A copy of a layer. The dense layer of block 9 is copied as the equal convolution."""
    if layer.name != "block9_dense":
        return layer.__class__.from_config(layer.get_config())
    return layers.Conv2D(layer.units, 1, name=layer.name)


if __name__ == "__main__":
    main()
