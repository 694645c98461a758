"""Batches sent to a device in advance, as to a GPU: the second one of two devices that the CPU stands for."""

import subprocess
import sys

SCRIPT = """
import sys
from dataclasses import replace
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from colorization.core import devices
from colorization.core.config import RegressionConfig
from colorization.datasets import pipeline
from colorization.training import trainer

config = RegressionConfig(
    data="synthetic", train_size=60, dev_size=20, test_size=20, width=0.03, batch_size=16, epochs=2, shift=2,
    precision="float32", distribute="off", jit="off",
)
here = trainer.train(config, sys.argv[1] + "/here")
asked, training_batches = [], pipeline.training_batches
def watched(*arguments, device, **options):
    feed = training_batches(*arguments, device=device, **options)
    asked.append(next(iter(feed))[0].device)
    return feed
pipeline.training_batches = watched
devices.feed_device = lambda model: "/CPU:1"
there = trainer.train(config, sys.argv[1] + "/there")
assert [name[-5:] for name in asked] == ["CPU:1"], asked
assert here.history() == there.history()
weights = here.weights()
assert all((weights[name] == array).all() for name, array in there.weights().items())
"""


def test_batches_on_another_device_train_the_same(tmp_path):
    """Oracle: the training without prefetching, inside the script: history and weights, bit for bit."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
