"""A training in a process of its own, for tests that kill it, or take TensorFlow away from it.

    python training_process.py TASK RUN_DIR [--kill WHERE N]... [--unfinished] [--without-tensorflow]
        [--devices N] [KEY=VALUE]...

WHERE is "step" (after a training step), "save" (a file is written, not yet renamed) or "features" (when a
batch of them is computed). Each --kill is a child of this process that trains until then and is killed; at
last, unless --unfinished is given, this process trains to the end. The children are forked before TensorFlow
has done anything, which spares each its import.
"""

import argparse
import os
import signal
import sys


def forbid_tensorflow():
    """Make every import of TensorFlow fail, as on a machine that lacks it."""

    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("tensorflow", "tensorboard"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Absent())


def kill_at(owner, name, count):
    """Replace owner.name so that its count-th call is this process's last."""
    function, calls = getattr(owner, name), iter(range(1, count + 1))

    def wrapped(*arguments, **named):
        if next(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    setattr(owner, name, wrapped)


def main():
    """Train at the smallest size, resuming what is there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("run_dir")
    parser.add_argument("--kill", nargs=2, action="append", default=[])
    parser.add_argument("--unfinished", action="store_true")
    parser.add_argument("--without-tensorflow", action="store_true")
    parser.add_argument("--devices", type=int)
    parser.add_argument("assignments", nargs="*")
    arguments = parser.parse_intermixed_args()
    if arguments.without_tensorflow:
        forbid_tensorflow()
    if arguments.devices:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        devices = [tf.config.LogicalDeviceConfiguration()] * arguments.devices
        tf.config.set_logical_device_configuration(cpu, devices)

    from colorization.core import config
    from colorization.training import frozen_features, trainer
    from colorization.models import tasks
    from colorization.cli.experiment import train_and_evaluate
    from vgg_eval import training
    from vgg_eval.config import JudgeConfig

    places = {
        "step": (trainer._Progress, "on_train_batch_end"),
        "save": (os, "fsync"),
        "features": (features, "_encoded"),
    }
    tiny = ["data=synthetic", "train_size=60", "dev_size=20", "test_size=20", "width=0.03", "batch_size=16"]
    tiny += ["epochs=4", "learning_rate=0.001", "schedule=cosine", "flip=true"]
    if arguments.task == "vgg":
        judge = ["vgg_weights=none", "vgg_size=32", "head_width=8", "dev_batch_size=16", "flip=false"]
        settings = config.override(JudgeConfig(), tiny + judge + arguments.assignments)
        train = training.train
    else:
        settings = config.override(tasks.TASKS[arguments.task].config(), tiny + arguments.assignments)
        train = train_and_evaluate
    if arguments.devices:
        compiled = trainer.compiled

        def counted(*arguments, **named):
            network = compiled(*arguments, **named)
            print(f"{network.trained.distribute_strategy.num_replicas_in_sync} replicas")
            return network

        trainer.compiled = counted
    for where, count in arguments.kill:
        child = os.fork()
        if not child:
            kill_at(*places[where], int(count))
            train(settings, arguments.run_dir, resume=True)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == -signal.SIGKILL, f"--kill {where} {count}: {status}"
    if not arguments.unfinished:
        train(settings, arguments.run_dir, resume=True)


if __name__ == "__main__":
    main()
