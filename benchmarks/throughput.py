"""Images/s of training and of inference, for each model, width and precision.

    python benchmarks/throughput.py

A training step is model.train_on_batch as training.build compiles the model; inference is the predictor with
the task's default decoding. All are measured alternately. Ratios are relative to the classification of
width 1 in float32.
"""

import argparse
import itertools

import keras
import numpy as np
from common import interleaved, print_machine, print_table, ratio

from colorization.core import devices, losses
from colorization.core.config import TEMPERATURE
from colorization.inference import graph
from colorization.models import tasks

REFERENCE = ("classification", 1.0, "float32")
LOSSES = {"classification": losses.soft_cross_entropy, "regression": losses.squared_error}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--size", type=int, default=32, help="side of the images")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()

    generator = np.random.default_rng(0)
    shape = (options.batch_size, options.size, options.size)
    lightness = generator.uniform(0, 100, (*shape, 1)).astype("float32")
    ab = generator.uniform(-60, 60, (*shape, 2)).astype("float32")

    training, inference = {}, {}
    for case in itertools.product(LOSSES, (1.0, 0.25), ("float32", "mixed_bfloat16")):
        model, predictor = build(*case)
        training[case] = lambda model=model: model.train_on_batch(lightness, ab)
        inference[case] = lambda predictor=predictor: predictor.predict_on_batch(lightness)
    training_seconds, _ = interleaved(training, options.repetitions)
    inference_seconds, _ = interleaved(inference, options.repetitions)

    rows = [
        [*case, *rates(training_seconds, case, options), *rates(inference_seconds, case, options)]
        for case in training
    ]
    print_table(
        f"Throughput in batches of {options.batch_size} images of {options.size}x{options.size}",
        ["model", "width", "precision", "training, images/s", "ratio", "inference, images/s", "ratio"],
        rows,
    )
    print(f"\nratios: to {', '.join(map(str, REFERENCE))}; median of the turns, and range")
    print_machine()


def rates(seconds, case, options):
    """Images/s of a case, and their ratio to the reference."""
    return options.batch_size / float(np.median(seconds[case])), ratio(seconds[REFERENCE], seconds[case])


def build(name, width, precision):
    """A compiled model and its predictor."""
    task = tasks.TASKS[name]
    keras.config.set_dtype_policy(precision)
    model = task.build(task.config(width=width))
    keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.Adam(1e-4), LOSSES[name], jit_compile=devices.jit("auto", None))
    decoding, decode = tasks.decoding(task)
    return model, graph.predictor(model, {decoding: decode}, TEMPERATURE)


if __name__ == "__main__":
    main()
