"""Callbacks: when the state is written, and when the loss is read. After kills: test_resume."""

import math
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest

from colorization.core.config import ClassificationConfig
from colorization.core.errors import InputError
from colorization.training import callbacks

MODEL = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=1.0, variables=[]), layers=[])


class Clock:
    """Time that passes only when told."""

    now = 0.0

    def monotonic(self):
        return self.now


class SlowRun:
    """A run folder in which every state takes some seconds to write."""

    config = ClassificationConfig()

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.states, self.bests, self.rows = clock, seconds, [], [], 0

    def __str__(self):
        return "RUN"

    def exists(self):
        return True

    def write_best(self, arrays, epoch):
        self.bests.append(epoch)

    def write_history(self, rows):
        self.rows = len(rows)

    def write_state(self, groups, history):
        self.clock.now += self.seconds
        self.states.append(len(history))


@pytest.fixture
def checkpoint(monkeypatch):
    def make(seconds):
        clock = Clock()
        monkeypatch.setattr(callbacks, "time", clock)
        monkeypatch.setattr(callbacks.session, "record", lambda *arguments: None)
        made = callbacks.Checkpoint(SlowRun(clock, seconds))
        made.set_model(MODEL)
        return made, clock

    return make


def end_epoch(checkpoint, epoch, loss):
    checkpoint.on_epoch_end(epoch, {"loss": loss, "val_loss": loss})
    if checkpoint.writing is not None:
        checkpoint.writing.result()


@pytest.mark.parametrize(("epoch_seconds", "seconds"), [(100, 2), (10, 5), (1, 3), (50, 0.1)])
def test_writing_takes_a_tenth_of_the_time(checkpoint, epoch_seconds, seconds):
    """Oracle: the sum of the times; beyond a tenth come at most the first write and the last one."""
    made, clock = checkpoint(seconds)
    for epoch in range(200):
        clock.now += epoch_seconds
        end_epoch(made, epoch, 1.0 / (epoch + 1))
    written = list(made.run.states)
    assert len(written) * seconds <= 0.1 * clock.now + seconds
    if seconds < 0.1 * epoch_seconds:
        assert written == list(range(1, 201))
    else:
        assert len(written) * seconds > 0.05 * clock.now - seconds
    made.on_train_end()
    made.close()
    assert made.run.states[-1] == 200
    assert made.run.bests[-1] == 200  # each epoch was better than the one before


def test_the_best_weights_of_a_skipped_epoch_are_written(checkpoint):
    """Epoch 2 is the best one, and too soon after the first write; a NaN ends the run in epoch 4."""
    made, clock = checkpoint(100)
    for epoch, loss in enumerate((3.0, 1.0, 2.0)):
        clock.now += 1
        end_epoch(made, epoch, loss)
    assert made.run.states == [1]
    with pytest.raises(InputError, match=r"NaN in epoch 4\. RUN keeps the weights of epoch 2\."):
        made.on_train_batch_end(100, {"loss": math.nan})
    made.close()
    assert made.run.bests == [1, 2]
    assert made.run.rows == 3  # the history has the epoch of the best weights


class Loss:
    """A loss that counts how often it is read."""

    reads = 0

    def __float__(self):
        Loss.reads += 1
        return 1.0


def test_the_loss_of_a_step_is_read_now_and_then(checkpoint):
    """Oracle: the number of reads in 250 steps, through Keras's list of callbacks."""
    made, _ = checkpoint(1)
    hooks = callbacks.Hooks([made], model=MODEL)
    for batch in range(250):
        hooks.on_train_batch_end(batch, {"loss": Loss()})
    assert Loss.reads == 3


def test_arrays_with_a_nan_are_not_written(checkpoint, monkeypatch):
    """The losses of the epoch are numbers, but a weight is none any more."""
    made, _ = checkpoint(1)
    broken = {"kernel": np.array([1.0, math.nan], "float32")}
    monkeypatch.setattr(callbacks.checkpoint_io, "to_arrays", lambda variables: broken)
    with pytest.raises(InputError, match=r"NaN in epoch 1\. No weights are kept"):
        end_epoch(made, 0, 1.0)
    made.close()
    assert not made.run.states


def test_a_training_does_not_wait_for_a_write(checkpoint):
    """Oracle: epochs that end while the state of an earlier one is still being written leave it out."""
    made, clock = checkpoint(1)
    end_epoch(made, 0, 1.0)
    clock.now += 1000
    written, made.writing = made.writing, Future()
    assert not made.may_write()
    made.on_epoch_end(1, {"loss": 0.9, "val_loss": 0.9})  # would wait for ever
    assert (made.run.states, made.unwritten_best[1]) == ([1], 2)
    made.writing = written
    end_epoch(made, 2, 0.8)
    made.close()
    assert (made.run.states, made.run.bests) == ([1, 3], [1, 3])
