"""Trainings in processes of their own, for tests that kill them, give them devices, or take TensorFlow away.

    python -m support.training_process [--without-tensorflow]

One process imports Keras and TensorFlow once and computes nothing. For each line on its standard input, a JSON
object, it forks a child that trains at the smallest size and may be killed; then it prints the child's exit
status. Fork is safe because neither library has done anything before.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TINY = [
    "data=synthetic", "train_size=60", "dev_size=20", "test_size=20", "width=0.03", "batch_size=16", "epochs=3",
    "learning_rate=0.001", "schedule=cosine", "flip=true",
]  # fmt: skip
JUDGE = ["vgg_weights=none", "vgg_size=32", "head_width=8", "dev_batch_size=16", "flip=false"]


class Done(NamedTuple):
    """A finished training.

    Attributes:
        status: exit status; negative, the signal that killed it.
        out, err: what it wrote.
    """

    status: int
    out: str
    err: str


class Trainings:
    """A process that forks for every training; a context manager.

    Args:
        tensorflow: whether TensorFlow can be imported.
        environment: of the process, beside that of this one.
    """

    def __init__(self, tensorflow=True, **environment):
        self.command = [sys.executable, "-m", "support.training_process"]
        self.command += [] if tensorflow else ["--without-tensorflow"]
        self.environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_):
        self.process.communicate()  # an end of its input ends it

    def train(self, task, run_dir, *assignments, kill=None, devices=None, data=None, feed=None):
        """Train a tiny run in a child, resuming what is there.

        Args:
            task: of the config.
            run_dir: the run folder.
            assignments: "key=value" of more settings.
            kill: None, or (place, count): the count-th call of the place is the child's last, see PLACES.
            devices: None, or the number of devices that the CPU stands for.
            data: None, or the folder of the data and of features.
            feed: None, or (source, target): no training, but the batches of the images in `source` go into `target`.

        Returns:
            Done.
        """
        with tempfile.TemporaryDirectory() as folder:
            output = [str(Path(folder) / name) for name in ("out", "err")]
            given = {"task": task, "run_dir": str(run_dir), "assignments": assignments, "kill": kill}
            given |= {"devices": devices, "data": data and str(data), "output": output}
            given |= {"feed": feed and [str(path) for path in feed]}
            print(json.dumps(given), file=self.process.stdin, flush=True)
            status = int(self.process.stdout.readline())
            return Done(status, *(Path(path).read_text() for path in output))

    def must_train(self, *arguments, **options):
        """train, which must end well; with `kill`, by that kill."""
        done = self.train(*arguments, **options)
        assert done.status == (-signal.SIGKILL if options.get("kill") else 0), done.err
        return done


class Absent:
    """Makes every import of TensorFlow fail, as on a machine that lacks it."""

    def find_spec(self, name, path=None, target=None):
        """Refuse TensorFlow and TensorBoard."""
        if name.split(".")[0] in ("tensorflow", "tensorboard"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _kill_at(owner, name, count):
    """Replace owner.name so that its count-th call is this process's last."""
    function, calls = getattr(owner, name), iter(range(1, count + 1))

    def wrapped(*arguments, **named):
        if next(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    setattr(owner, name, wrapped)


def _split_cpu(devices):
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)


def _tell_replicas():
    """Make trainer.build print on how many devices it compiled."""
    from colorization.training import trainer

    build = trainer.build

    def told(*arguments):
        network = build(*arguments)
        print(f"{network.trained.distribute_strategy.num_replicas_in_sync} replicas")
        return network

    trainer.build = told


def _train(given):
    from colorization import training
    from colorization.core import config
    from colorization.evaluation import evaluate
    from colorization.training import callbacks
    from vgg_eval import config as _  # noqa: F401 - it registers the judge's settings

    callbacks.Checkpoint.may_write = lambda checkpoint: True  # every epoch, however slow the disk
    if given["kill"]:
        place, count = given["kill"]
        _kill_at(*_places()[place], count)
    if given["devices"]:
        _split_cpu(given["devices"])
        _tell_replicas()
    more = JUDGE if given["task"] == "judge" else []
    settings = config.override(config.CONFIGS[given["task"]](), [*TINY, *more, *given["assignments"]])
    if given["task"] == "judge":
        from vgg_eval import training as judge_training

        judge_training.train_judge(settings, given["run_dir"], resume=True)
    else:
        training.train(settings, given["run_dir"], resume=True)
        evaluate(given["run_dir"])


def _places():
    """{place: (owner, name)}: a training step, a file that is written but not yet renamed, features of a batch."""
    import keras

    from colorization.training import callbacks

    return {
        "step": (callbacks.Progress, "on_train_batch_end"),
        "save": (os, "fsync"),
        "features": (keras.Model, "predict_on_batch"),
    }


def _write_feed(source, target):
    """Write the training batches of images, each as one array, into an .npz file."""
    import numpy as np

    from colorization.datasets import pipeline

    options = {"batch_size": 7, "seed": 5, "epochs": 2, "flip": True, "shift": 1}
    feed = pipeline.training_batches((np.load(source),), pipeline.to_lightness_and_ab, **options)
    np.savez(target, *[np.concatenate(pair, -1) for pair in feed])


def _child(given):
    """Do what is asked, in this forked process, and end it."""
    code = 1
    for number, path in enumerate(given["output"], 1):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)
    try:
        if given["data"]:
            os.environ["COLORIZATION_DATA"] = given["data"]
        if given["feed"]:
            _write_feed(*given["feed"])
        else:
            _train(given)
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main():
    """Fork for every line on standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-tensorflow", action="store_true")
    if parser.parse_args().without_tensorflow:
        sys.meta_path.insert(0, Absent())
    import keras  # noqa: F401

    import colorization.evaluation.evaluator
    import colorization.training.trainer  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if not child:
            _child(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
