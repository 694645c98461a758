"""What the benchmarks share: interleaved timing, batches as in training, printing of Markdown tables."""

import time

import keras
import numpy as np

from colorization.datasets import pipeline
from colorization.runs import environment
from colorization.training import on_device


def interleaved(calls, repetitions):
    """Seconds of each call, the calls taking turns so that all of them meet the same load of the machine.

    Args:
        calls: {name: function without arguments}; each is called once beforehand, untimed.
        repetitions: how often each is timed.

    Returns:
        Two of {name: (repetitions,) float64}: seconds on the clock, and CPU seconds of this process, which
        a busy machine disturbs less.
    """
    for call in calls.values():
        call()
    wall, cpu = ({name: np.zeros(repetitions) for name in calls} for _ in range(2))
    for i in range(repetitions):
        for name, call in calls.items():
            start = time.perf_counter(), time.process_time()
            call()
            wall[name][i] = time.perf_counter() - start[0]
            cpu[name][i] = time.process_time() - start[1]
    return wall, cpu


def epoch_of_batches(arrays, transform, config, epoch=0):
    """The batches of an epoch of training, as tensors of Keras's backend.

    Args:
        arrays: tuple of NumPy arrays.
        transform: as in pipeline.training_batches.
        config: a Config.
        epoch: its number.
    """
    if keras.backend.backend() != "jax":
        yield from pipeline.training_batches(
            arrays,
            transform,
            batch_size=config.batch_size,
            seed=config.seed,
            epochs=epoch + 1,
            first_epoch=epoch,
            flip=config.flip,
            crop=config.image_size if config.crop_from else None,
            shift=config.shift,
        )
        return
    batches, make = _compiled_feed(arrays, transform, config)
    for piece in batches.pieces(epoch):
        for start, size in piece.parts:
            yield make(piece.arrays, piece.plan, start, size)


_FEEDS = {}


def _compiled_feed(arrays, transform, config):
    """on_device.Batches and its compiled make, the same for a second epoch."""
    import jax

    key = (arrays[0].ctypes.data, transform, config)
    if key not in _FEEDS:
        batches = on_device.Batches(arrays, transform, config)
        _FEEDS[key] = batches, jax.jit(batches.make, static_argnums=3)
    return _FEEDS[key]


def ratio(numerator, denominator):
    """The median of the ratios of each turn, and their range, as text."""
    ratios = np.asarray(numerator) / np.asarray(denominator)
    return f"{np.median(ratios):.3g} ({ratios.min():.3g} to {ratios.max():.3g})"


def print_table(title, header, rows):
    """A Markdown table; numbers come out with three significant digits."""
    print(f"\n{title}\n")
    for row in (header, ["---"] * len(header), *rows):
        cells = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
        print(f"| {' | '.join(cells)} |", flush=True)


def print_machine():
    """The machine that the figures belong to."""
    found = environment.environment()
    packages = ", ".join(f"{name} {found['packages'][name]}" for name in ("keras", found["backend"]))
    print(f"\n{found['processor']}, {found['cores']} cores, {', '.join(found['devices'])}; {packages}")
