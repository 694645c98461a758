"""Annealed mean: bins.annealed_mean against plain NumPy on dense arrays.

    python benchmarks/annealed_mean.py

Both decode the same float32 logits alternately, batch by batch. NumPy computes the formula step by step:
log softmax, division by the temperature, exp, normalization, product with the centers. The table shows the
time of all images, the ratio of the times of each batch, and the largest difference in ab units.
"""

import argparse

import keras
import numpy as np
import tensorflow as tf
from common import interleaved, print_machine, print_table, ratio

from colorization.core import bins
from colorization.core.config import TEMPERATURE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--size", type=int, default=32, help="side of the images")
    parser.add_argument("--scale", type=float, default=3.0, help="standard deviation of the logits")
    options = parser.parse_args()

    generator = np.random.default_rng(0)
    shape = (options.batch_size, options.size, options.size, bins.COUNT)
    compiled = tf.function(bins.annealed_mean)
    ours, plain, differences = [], [], []
    for _ in range(options.images // options.batch_size):
        logits = options.scale * generator.standard_normal(shape, "float32")
        tensor, results = tf.constant(logits), {}

        def decode(tensor=tensor, results=results):
            results["ours"] = keras.ops.convert_to_numpy(compiled(tensor))

        def decode_plainly(logits=logits, results=results):
            results["plain"] = annealed_mean(logits)

        seconds, _ = interleaved({"ours": decode, "plain": decode_plainly}, repetitions=1)
        ours.append(seconds["ours"][0])
        plain.append(seconds["plain"][0])
        differences.append(np.abs(results["ours"] - results["plain"]).max())

    print_table(
        f"Annealed mean of {len(ours) * options.batch_size} images of {options.size}x{options.size}",
        ["method", "seconds", "images/s"],
        [
            [name, sum(seconds), len(seconds) * options.batch_size / sum(seconds)]
            for name, seconds in (("bins.annealed_mean", ours), ("plain NumPy", plain))
        ],
    )
    print(f"\nNumPy's time over that of bins.annealed_mean: {ratio(plain, ours)}")
    print(f"largest difference: {max(differences):.2g} ab units")
    print_machine()


def annealed_mean(logits, temperature=TEMPERATURE):
    """bins.annealed_mean in plain NumPy."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    sharpened = np.exp(log_softmax / temperature)
    return sharpened / sharpened.sum(axis=-1, keepdims=True) @ bins.CENTERS


if __name__ == "__main__":
    main()
