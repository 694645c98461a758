"""The trainings of a plan, one after the other; existing runs are resumed."""

import dataclasses
import sys

from colorization.core.config import Config
from colorization.runs.folder import RunFolder
from colorization.training import trainer
from vgg_eval import judge, training
from vgg_eval.figure7 import Runs
from vgg_eval.options import JUDGES, ROLES
from vgg_eval.plan import Plan

_PREDICTIONS = ("predict_by", "working_size", "temperature")
"""The settings that may change after the training, and that change the predictions."""


def run(planned: Plan) -> Runs:
    """Train the missing runs of a plan; unfinished ones are resumed.

    Args:
        planned: a Plan.

    Returns:
        Runs.

    Raises:
        InputError: a training is not possible; those finished before it stay.
    """
    _refuse_unrelated({role: RunFolder(path) for role, (config, path) in planned.items() if config is None})
    for role in ROLES:
        config, path = planned[role]
        if config is not None:
            print(f"\n== {role}: {path}", file=sys.stderr)
            train = training.train_judge if role in JUDGES else trainer.train
            train(_with_own_predictions(config, RunFolder(path)), path, resume=True)
    folders = {role: RunFolder(path) for role, (_, path) in planned.items()}
    return Runs(judge=folders.pop("judge"), control=folders.pop("control"), colorizers=folders)


def _refuse_unrelated(given: dict[str, RunFolder]) -> None:
    """Raise InputError for given runs without weights, or that do not belong together."""
    for run in given.values():
        run.weights()
    colorizers = [run for role, run in given.items() if role not in JUDGES]
    if colorizers:
        judge.unseen_images(colorizers, [given[role] for role in JUDGES if role in given], "test")


def _with_own_predictions(config: Config, run: RunFolder) -> Config:
    """The config, with the settings of the existing run, if any, that decide its predictions."""
    if not run.exists():
        return config
    kept = run.expect(type(config)).config
    own = {name: getattr(kept, name) for name in _PREDICTIONS if hasattr(kept, name)}
    return dataclasses.replace(config, **own)
