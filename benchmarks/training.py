"""How fast an experiment trains: its feed alone, the pure training step, and the whole loop.

    python benchmarks/training.py
    KERAS_BACKEND=jax python benchmarks/training.py                   # without TensorFlow
    python benchmarks/training.py --variant paper --images 50000      # on a GPU

Images/s of three things, which take turns in one training on random images:

- feed: the batches of an epoch, made and not used;
- step: the training step on one batch that lies ready on the device;
- loop: a whole epoch of colorize train, with its feed, its callbacks, and the writing of the state of the
  epoch before, but nearly without dev images.

Where PyTorch is installed, its step of the same network takes its turns, too. Then the arithmetic of a step
(multiplications and additions of convolutions and dense layers: one pass forward, two backward), and its
share of the rate at which this machine multiplies large matrices. Last the Python of the loop: CPU seconds
per batch of the thread that runs it, with a tiny network. Frozen blocks, which run once before the training,
are left out.
"""

import argparse
import contextlib
import dataclasses
import functools
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from batches import epoch_of_batches
from common import print_machine, print_table, ratio
from keras import layers, ops

from colorization.core.config import override
from colorization.models import tasks
from colorization.runs import session
from colorization.training import on_device, trainer
from vgg_eval.training import JUDGE

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
EXPERIMENTS = ("regression", "classification", "transfer", "judge", "photos")
_DEV = 8  # dev images, so few that their evaluation takes no time
SIDE = 2048  # of the matrices whose product is the yardstick


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variant", default="small")
    parser.add_argument("--experiments", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS)
    parser.add_argument("--images", type=int, default=1280, help="in an epoch")
    parser.add_argument("--steps", type=int, default=5, help="pure steps in a turn")
    parser.add_argument("--repetitions", type=int, default=5, help="turns of each, one in an epoch")
    parser.add_argument("--side", type=int, default=SIDE, help=f"of the matrices (default: {SIDE})")
    parser.add_argument(
        "--set", dest="assignments", action="append", default=[], help="KEY=VALUE of settings"
    )
    options = parser.parse_args()

    rows = [measured(name, options) for name in options.experiments]
    names = ["feed", "step", "loop", "PyTorch's step", "loop / step", "feed / step", "step / PyTorch's"]
    header = ["experiment", "precision", *names, "GFLOP/s", "share of a matrix product"]
    print_table(f"Images/s of the variant {options.variant} on {keras.backend.backend()}", header, rows)
    milliseconds = python_per_batch(options)
    print(f"\nPython of the loop: {milliseconds:.3g} ms per batch of the main thread's CPU time")
    print_machine()


def measured(name, options):
    """The row of an experiment."""
    config, task = settings_of(name, options)
    with training(config, task) as (network, data, run):
        config = run.config  # "auto" precision resolved
        turns = Turns(config, network, data, options)
        trainer.fit(network, data, run, [turns])
        work = 3 * arithmetic(network.trained, (1, *network.trained.input_shape[1:]), config.image_size)
    rate = {part: np.array(values[1:]) for part, values in turns.rates.items()}  # the first one compiles
    step = rate["step"]
    torch = rate.get("PyTorch")
    numbers = [float(np.median(rate[part])) for part in ("feed", "step", "loop")]
    torch_rate = "not installed" if torch is None else float(np.median(torch))
    ratios = [
        ratio(rate["loop"], step),
        ratio(rate["feed"], step),
        "" if torch is None else ratio(step, torch),
    ]
    share = ratio(work * step, rate["product"])
    return [name, config.precision, *numbers, torch_rate, *ratios, work * float(np.median(step)) / 1e9, share]


def settings_of(name, options):
    """(Config, Task) of an experiment, on random images, with all its own settings of the training."""
    settings = importlib.import_module(name).VARIANTS[options.variant]
    changes = {
        "data": "synthetic",
        "train_size": options.images,
        "dev_size": 10,
        "test_size": 10,
        "epochs": options.repetitions + 1,
        "init_from": "none",
    }
    own = {"vgg_weights": "none", "samples_every": 10**6}
    changes |= {name: value for name, value in own.items() if hasattr(settings, name)}
    config = override(dataclasses.replace(settings, **changes), options.assignments)
    return config, JUDGE if name == "judge" else tasks.of(config)


@contextlib.contextmanager
def training(config, task):
    """(Network, RunData, RunFolder) in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COLORIZATION_DATA"] = folder
        run = session.open_run(config, Path(folder) / "run")
        data = run.data()
        data = data._replace(dev=data.dev.rows(np.arange(_DEV)))
        yield trainer.build(task, data, run), data, run


class Turns(keras.callbacks.Callback):
    """Measures the parts before each epoch, and the epoch itself."""

    def __init__(self, config, network, data, options):
        super().__init__()
        self.options, self.size = options, config.batch_size
        train, _, transform = trainer.training_arrays(network, data, config)
        self.count = len(train[0])
        self.feed = functools.partial(epoch_of_batches, train, transform, config)
        self.step = pure_step(network.trained, train, transform, config)
        self.product = product(config.precision, options.side)
        self.torch = torch_step(network.trained, config)
        self.rates = {}

    def on_epoch_begin(self, epoch, logs=None):
        """Measure feed, step and product, and start the clock of the loop."""
        self._time("feed", self.count, lambda: [np.asarray(first(b)) for b in last_of(self.feed(epoch))])
        self._time("step", self.size * self.options.steps, lambda: self.step(self.options.steps))
        if self.torch:
            calls = range(self.options.steps)
            self._time("PyTorch", self.size * self.options.steps, lambda: [self.torch() for _ in calls])
        self._time("product", 2 * self.options.side**3, self.product)
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Stop it."""
        self.rates.setdefault("loop", []).append(self.count / (time.perf_counter() - self.start))

    def _time(self, name, count, call):
        start = time.perf_counter()
        call()
        self.rates.setdefault(name, []).append(count / (time.perf_counter() - start))


def first(batch):
    return batch[0]


def last_of(batches):
    """[the last batch]: the others are dropped as they come."""
    for batch in batches:
        last = batch
    return [last]


def pure_step(model, arrays, transform, config):
    """A function of a number of steps, all on the same batch; it waits for the last one."""
    if keras.backend.backend() == "jax":
        return jax_step(model, arrays, transform, config)
    import tensorflow as tf

    batch = next(iter(epoch_of_batches(arrays, transform, config)))
    model.make_train_function()
    iterator = iter(tf.data.Dataset.from_tensors(batch).repeat())

    def steps(count):
        for _ in range(count):
            logs = model.train_function(iterator)
        float(logs["loss"])

    return steps


def jax_step(model, arrays, transform, config):
    """pure_step on JAX: the compiled step of the training, on a copy of its state."""
    import jax

    batches = on_device.Batches(tuple(array[: config.batch_size] for array in arrays), transform, config)
    batch = batches.make(*next((p.arrays, p.plan, 0, batches.count) for p in batches.pieces(0)))
    model._symbolic_build(data_batch=batch)

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, batch):
        logs, state = model.train_step(state, batch)
        return logs["loss"], state

    def steps(count):
        state = jax.tree.map(
            lambda value: value.copy(), on_device.values_of(on_device.variable_groups(model))
        )
        for _ in range(count):
            loss, state = step(state, batch)
        float(loss)

    return steps


def torch_step(model, config):
    """PyTorch's step of the same network; None without PyTorch, and for networks with VGG16's blocks."""
    if importlib.util.find_spec("torch") is None or model.name not in ("regression", "classification"):
        return None
    import torch_network

    bfloat16 = config.precision == "mixed_bfloat16"
    return torch_network.training_step(model, config.batch_size, config.image_size, bfloat16)


def python_per_batch(options):
    """Milliseconds of CPU time per batch of the thread that runs the loop, with a tiny network."""
    tiny = ["width=0.02", "batch_size=8", "jit=auto"]
    config, task = settings_of("regression", argparse.Namespace(**{**vars(options), "assignments": tiny}))
    clock = ThreadClock()
    with training(config, task) as (network, data, run):
        trainer.fit(network, data, run, [clock])
    steps = -(-options.images // config.batch_size)
    return 1000 * float(np.median(clock.seconds[1:])) / steps


class ThreadClock(keras.callbacks.Callback):
    """CPU seconds of the main thread in the steps of each epoch."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        """Start."""
        self.start = self.last = time.thread_time()

    def on_train_batch_end(self, batch, logs=None):
        """Remember the end of the latest step."""
        self.last = time.thread_time()

    def on_epoch_end(self, epoch, logs=None):
        """Keep the time until the last step."""
        self.seconds.append(self.last - self.start)


def product(precision, side):
    """A function that multiplies two large matrices in a precision, and waits for the result."""
    matrix = ops.cast(keras.random.normal((side, side)), precision.removeprefix("mixed_"))
    return lambda: float(ops.sum(ops.matmul(matrix, matrix)[:1, :1]))


def arithmetic(model, shape, side):
    """Multiplications and additions of one image's pass forward through convolutions and dense layers.

    Args:
        model: a chain of layers.
        shape: of its input, the batch included.
        side: for None in the shape.
    """
    shape, total = tuple(side if size is None else size for size in shape), 0
    for layer in model.layers[1:]:
        new = layer.compute_output_shape(shape)
        if isinstance(layer, layers.Conv2D | layers.Dense):  # a transposed convolution is a Conv2D to Keras
            grid = shape if isinstance(layer, layers.Conv2DTranspose) else new
            total += 2 * int(np.prod(layer.kernel.shape)) * int(np.prod(grid[1:-1]))
        shape = new
    return total


if __name__ == "__main__":
    main()
