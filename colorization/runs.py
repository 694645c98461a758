"""A run folder: where each thing lies in it, and how to read it back."""

import json
from pathlib import Path

from . import config, presets, tasks, weights
from .config import BEST, FROZEN
from .errors import InputError
from .files import write_text

DATA = "data.json"  # what the training data were, to know them again
SPLITS = "splits.npz"
STATISTICS = "statistics.json"
ENVIRONMENT = "environment.json"
LAST = "last.weights.h5"  # with the optimizer's state and the history: all that resuming needs
HISTORY = "history.csv"
METRICS = "metrics.json"
TUNED = "tuned.json"  # what experiments/tune.py --apply changed
SAMPLES = "samples"
LOGS = "logs"


def write_config(run_dir, settings):
    """Write a Config into a run folder."""
    write_text(Path(run_dir) / config.FILE, config.to_json(settings))


def read_config(run_dir, configs=tasks.CONFIGS):
    """The Config of a run folder; see config.read."""
    return config.read(Path(run_dir) / config.FILE, configs)


def _build_colorizer(settings):
    return tasks.of(settings).build(settings)


def load_model(run_dir, configs=tasks.CONFIGS, build=_build_colorizer):
    """(config, model with its best weights) of a run folder.

    Args:
        run_dir: the run folder.
        configs: {task name: Config class} that it may be of.
        build: function of the config that returns its keras.Model.

    Raises:
        InputError: no run folder, no weights in it yet, or weights that do not fit.
    """
    settings = read_config(run_dir, configs)
    model = build(settings)
    weights.assign(model.variables, read_weights(run_dir), run_dir)
    return settings, model


def read_weights(run_dir):
    """{name: array}: a run's best weights. Raises InputError if there are none, or damaged ones."""
    best, frozen = Path(run_dir) / BEST, Path(run_dir) / FROZEN
    if not (Path(run_dir) / config.FILE).exists():
        raise InputError(f"{run_dir} is no run folder: it has no {config.FILE}.")
    if not best.exists():
        raise InputError(f"{run_dir} has no {BEST} yet: its training has not finished an epoch.")
    return {**(weights.load(frozen, "model")[0] if frozen.exists() else {}), **weights.load(best, "model")[0]}


def read_json(path):
    """The object in a JSON file. Raises InputError if it is missing or damaged."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is missing or damaged ({error}).") from None


def read_tuned(run_dir):
    """{"strength", ...} of what tune.py --apply changed in a run; {} if nothing. Raises InputError."""
    path = Path(run_dir) / TUNED
    return read_json(path) if path.exists() else {}


def earlier_epochs(starts):
    """{run's name: epochs} of the runs that a run went on from, by the starts of its environment.json."""
    epochs = _epochs(starts)
    return {run: count for run, count in epochs.items() if run is not None}


def own_epochs(starts):
    """How many epochs a run itself has finished, by the starts of its environment.json."""
    return _epochs(starts).get(None, 0)


def _epochs(starts):
    epochs = {}
    for start in starts:  # one that was killed in its first epoch has finished none
        run = start.get("run")
        epochs[run] = max(epochs.get(run, 0), start.get("finished_epochs", 0))
    return epochs


def read_metrics(run_dir):
    """What metrics.json holds; {} if there is none. Raises InputError for a damaged one."""
    path = Path(run_dir) / METRICS
    return read_json(path) if path.exists() else {}


def write_metrics(run_dir, metrics):
    """Write metrics.json; a preset's stays as it is."""
    if presets.contains(run_dir):
        return
    write_text(Path(run_dir) / METRICS, json.dumps(metrics, indent=2) + "\n")
