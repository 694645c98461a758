"""Soft-label loss: sparse targets (losses.soft_cross_entropy) against dense ones.

    python benchmarks/loss.py

Both encode the same ab, and compute loss and gradient on the same logits, compiled by tf.function. The dense
loss scatters the weights into an array as wide as the logits, and uses TensorFlow's softmax cross-entropy.
Times are measured alternately. Memory is measured in a new process for each call: the peak of the resident
set minus its size before the call, when the inputs exist and the graph is traced on one image.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from common import interleaved, print_machine, print_table, ratio

from colorization.core import bins, losses


def dense_cross_entropy(ab, logits):
    """losses.soft_cross_entropy by way of dense targets."""
    indices, weights = bins.soft_encode(ab)
    kept = indices.shape[-1]
    rows = tf.repeat(tf.range(tf.size(indices) // kept), kept)
    targets = tf.scatter_nd(
        tf.stack([rows, tf.reshape(indices, [-1])], axis=-1),
        tf.reshape(weights, [-1]),
        [tf.size(indices) // kept, bins.COUNT],
    )
    values = tf.nn.softmax_cross_entropy_with_logits(targets, tf.reshape(logits, [-1, bins.COUNT]))
    return tf.reduce_sum(tf.reshape(values, tf.shape(ab)[:-1]), axis=[1, 2])


SIDES = {"sparse": losses.soft_cross_entropy, "dense": dense_cross_entropy}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--size", type=int, default=32, help="side of the images")
    parser.add_argument("--repetitions", type=int, default=9, help="of the timing")
    parser.add_argument("--processes", type=int, default=3, help="for the memory of each side")
    parser.add_argument("--memory-of", choices=SIDES, help="print the bytes of one side's call, and no more")
    options = parser.parse_args()
    if options.memory_of:
        print(peak_of_one_call(SIDES[options.memory_of], options))
        return

    bytes_taken = {name: [] for name in SIDES}
    for _ in range(options.processes):
        for name in SIDES:
            bytes_taken[name].append(peak_in_a_process(name, options))

    ab, logits = inputs(options.batch_size, options.size)
    steps = {name: step_of(loss) for name, loss in SIDES.items()}
    results = {name: step(ab, logits) for name, step in steps.items()}
    seconds, _ = interleaved(
        {name: lambda step=step: step(ab, logits)[0].numpy() for name, step in steps.items()},
        options.repetitions,
    )

    print_table(
        f"Soft-label loss, forward and backward, {options.batch_size} images of "
        f"{options.size}x{options.size}x{bins.COUNT}",
        ["method", "seconds", "peak memory, MB"],
        [
            [name, float(np.median(seconds[name])), float(np.median(bytes_taken[name])) / 1e6]
            for name in SIDES
        ],
    )
    print(f"\nsparse over dense: time {ratio(seconds['sparse'], seconds['dense'])}, ", end="")
    print(f"peak memory {ratio(bytes_taken['sparse'], bytes_taken['dense'])}")
    gaps = [
        float(tf.reduce_max(tf.abs(a - b) / tf.reduce_max(tf.abs(b))))
        for a, b in zip(results["sparse"], results["dense"], strict=True)
    ]
    print(f"largest difference relative to the largest value: loss {gaps[0]:.2g}, gradient {gaps[1]:.2g}")
    print_machine()


def inputs(batch_size, size):
    """Random ab and logits."""
    generator = tf.random.Generator.from_seed(0)
    ab = generator.uniform([batch_size, size, size, 2], -80, 80)
    return ab, generator.normal([batch_size, size, size, bins.COUNT])


def step_of(loss):
    """(ab, logits) -> loss and its gradient, compiled once for any batch."""
    signature = [
        tf.TensorSpec([None, None, None, 2], tf.float32),
        tf.TensorSpec([None, None, None, bins.COUNT], tf.float32),
    ]

    @tf.function(input_signature=signature)
    def step(ab, logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            values = loss(ab, logits)
        return values, tape.gradient(values, logits)

    return step


def peak_of_one_call(loss, options):
    """Bytes by which one call raises the resident set at its highest.

    The inputs are zeros: random ones would leave freed arrays behind that the call could use unseen.
    """
    step = step_of(loss)
    step(*inputs(1, options.size))
    shape = (options.batch_size, options.size, options.size)
    arguments = tf.zeros((*shape, 2)), tf.zeros((*shape, bins.COUNT))
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    result = step(*arguments)
    result[0].numpy()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident


def peak_in_a_process(name, options):
    """peak_of_one_call in a fresh interpreter."""
    command = [sys.executable, __file__, f"--memory-of={name}"]
    command += [f"--batch-size={options.batch_size}", f"--size={options.size}"]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
