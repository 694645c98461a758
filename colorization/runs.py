"""A run folder: where each thing lies in it, and how to read it back."""

import json
from pathlib import Path

from . import config, tasks, weights
from .errors import InputError
from .files import write_text

CONFIG = "config.json"
SPLITS = "splits.npz"
STATISTICS = "statistics.json"
ENVIRONMENT = "environment.json"
LAST = "last.weights.h5"  # with the optimizer's state and the history: all that resuming needs
BEST = "best.weights.h5"
HISTORY = "history.csv"
METRICS = "metrics.json"
SAMPLES = "samples"
LOGS = "logs"


def write_config(run_dir, settings):
    """Write a Config into a run folder."""
    write_text(Path(run_dir) / CONFIG, config.to_json(settings))


def read_config(run_dir, configs=tasks.CONFIGS):
    """The Config of a run folder.

    Args:
        run_dir: a run folder.
        configs: {task name: Config class} that it may be of.

    Raises:
        InputError: there is none, it is of another task, or it cannot be understood.
    """
    path = Path(run_dir) / CONFIG
    values = read_json(path, f"{run_dir} is no run folder: it has no {CONFIG}.")
    if values.get("task") not in configs:
        raise InputError(f"{path} names the task {values.get('task')!r}, not one of {', '.join(configs)}.")
    return config.from_dict(configs[values["task"]], values, path)


def load_model(run_dir):
    """(config, model with its best weights) of a run folder.

    Raises:
        InputError: no run folder, no weights in it yet, or weights that do not fit.
    """
    settings = read_config(run_dir)
    model = tasks.of(settings).build(settings)
    path = Path(run_dir) / BEST
    if not path.exists():
        raise InputError(f"{run_dir} has no {BEST} yet: its training has not finished an epoch.")
    arrays, _ = weights.load(path, "model")
    weights.assign(model.variables, arrays, path)
    return settings, model


def update_metrics(run_dir, entries):
    """Merge a dict into metrics.json."""
    path = Path(run_dir) / METRICS
    known = read_json(path) if path.exists() else {}
    write_text(path, json.dumps({**known, **entries}, indent=2) + "\n")


def read_json(path, missing="{path} is missing."):
    """The object in a JSON file. Raises InputError, with the text `missing` if there is no such file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(missing.format(path=path)) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}).") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no JSON object.")
    return values
