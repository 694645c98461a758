"""A session of training in a run folder: opened, compared with the existing run, and recorded."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from colorization import datasets
from colorization.core import devices
from colorization.core.config import Config
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets.loading import RunData
from colorization.runs import resolve
from colorization.runs.environment import environment
from colorization.runs.folder import RunFolder

RESUMABLE = {
    "data",
    "jit",
    "distribute",
    "samples_every",
    "tensorboard",
    "working_size",
    "temperature",
    "predict_by",
}
"""The settings that may change in a resumed run."""


def open_run(config: Config | None, path: StrPath, resume: bool = False) -> RunFolder:
    """Open the run folder of a training. Nothing is written; see begin.

    Args:
        config: a Config; None is the config of the run to resume.
        path: path of the run folder; new or empty unless `resume`.
        resume: whether the folder may contain a run.

    Returns:
        RunFolder. Its config is that of a new run with the precision resolved, or that of the existing run
        with the changes that RESUMABLE allows.

    Raises:
        InputError: a run exists and resume is false, the run has other settings, or the folder contains other
            files.
    """
    run = RunFolder(path)
    config = _with_absolute_data(config) if config else None
    if run.has_state() or run.is_frozen():
        if not resume:
            raise InputError(
                f"{run} already contains a run. Continue it with --resume, or choose another --run-dir."
            )
        return RunFolder(path, _merged(run, config)) if config else run
    if config is None and not run.exists():
        raise InputError(f"{run} does not contain a run, so nothing can be resumed.")
    if run.is_blocked() and not run.exists():
        raise InputError(f"{run} contains other files, but no run. Choose another --run-dir.")
    config = config or run.config  # a run without a finished epoch starts again
    return RunFolder(path, dataclasses.replace(config, precision=devices.precision(config.precision)))


def is_finished(run: RunFolder) -> bool:
    """Whether a run is finished. Prints the reason, and writes changed settings.

    A run that contains only its best weights, such as a preset or a tuned run, counts as finished. A preset
    does not change.

    Args:
        run: a RunFolder of open_run.

    Returns:
        True if there is nothing to train.

    Raises:
        InputError: the weights are damaged, or the config has other data than the run was trained on.
    """
    if run.is_frozen():
        print(
            f"{run} contains only its best weights, as a preset or a tuned run, and cannot be trained "
            f"further. Initialize a new run from it with --set init_from={run}.",
            file=sys.stderr,
        )
    elif run.has_state() and run.finished_epochs() >= run.config.epochs:
        print(f"{run} is finished: {run.finished_epochs()} epochs.", file=sys.stderr)
    else:
        return False
    _write_changes(run)
    return True


def begin(run: RunFolder, data: RunData) -> None:
    """Write config and data of a training into its folder, and add this session to its list.

    The sessions of the run that gave the initial weights come first, with the name of that run. Metrics of
    earlier weights are deleted. Call it when the data are loaded: a session that failed before then leaves no
    run behind.

    Args:
        run: a RunFolder of open_run.
        data: its RunData.

    Raises:
        InputError: a file cannot be written.
    """
    run.make()
    sessions = run.known_sessions() if run.has_state() or _has_config(run) else []
    if not run.has_state():
        run.clear()
    if run.config.init_from != "none" and not sessions:
        origin = RunFolder(resolve.run_folder(run.config.init_from))
        sessions = [{"run": origin.name, **session} for session in origin.known_sessions()]
    sessions.append({**environment(), "seed": run.config.seed})
    run.write_config(run.config)
    run.remove_metrics()
    run.write_sessions(sessions)
    if not run.has_state():
        run.write_data(data, _relative(run.config.data))


def record(run: RunFolder, epochs: int, seconds: float) -> None:
    """Write the progress of the last session.

    Args:
        run: the RunFolder.
        epochs: number of epochs that the run has finished.
        seconds: duration of the session.

    Raises:
        InputError: the file cannot be written.
    """
    *earlier, this = run.known_sessions()
    run.write_sessions([*earlier, {**this, "finished_epochs": epochs, "seconds": round(seconds)}])


def earlier_epochs(sessions: list[dict[str, Any]]) -> dict[str, int]:
    """The epochs of the runs that a run was initialized from.

    Args:
        sessions: result of RunFolder.sessions.

    Returns:
        {name of a run: number of epochs}.
    """
    epochs = _epochs(sessions)
    return {run: count for run, count in epochs.items() if run is not None}


def own_epochs(sessions: list[dict[str, Any]]) -> int:
    """The number of epochs that a run itself has finished.

    Args:
        sessions: result of RunFolder.sessions.

    Returns:
        The number.
    """
    return _epochs(sessions).get(None, 0)


def _epochs(sessions: list[dict[str, Any]]) -> dict[Any, int]:
    epochs: dict[Any, int] = {}
    for session in sessions:  # a session that was killed in its first epoch has no number
        run = session.get("run")
        epochs[run] = max(epochs.get(run, 0), session.get("finished_epochs", 0))
    return epochs


def _merged(run: RunFolder, config: Config) -> Config:
    """The stored Config with the allowed changes. Raises InputError for other differences."""
    kept = run.config
    if config.task != kept.task:
        raise InputError(f"{run} contains a run of the task {kept.task}, not of the task {config.task}.")
    names = [field.name for field in dataclasses.fields(kept)]
    differing = {name for name in names if getattr(config, name) != getattr(kept, name)}
    if config.precision == "auto":
        differing.discard("precision")
    if run.has_state():
        differing -= {"vgg_weights", "init_from"}  # their weights are in the run folder
    if config.schedule == "constant":
        differing.discard("epochs")  # the rates of a schedule depend on it, a constant rate does not
    if fixed := sorted(differing - RESUMABLE):
        was = ", ".join(f"{name}={getattr(kept, name)}" for name in fixed)
        raise InputError(
            f"{run} was started with {was}. A resumed run cannot change this. For other settings, initialize "
            f"a new run from it with --set init_from={run} and another --run-dir."
        )
    changed = {name: getattr(config, name) for name in names if name in {*RESUMABLE, "epochs"}}
    return dataclasses.replace(kept, **changed)


def _has_config(run: RunFolder) -> bool:
    """Whether the folder contains the config of the opened run."""
    kept = RunFolder(run.path)
    try:
        return kept.config == run.config
    except InputError:
        return False  # it is missing or damaged


def _with_absolute_data(config: Config) -> Config:
    """The config with an absolute path of the data, so that the run can be used in every directory."""
    if config.data in datasets.NAMES or not Path(config.data).exists():
        return config
    return dataclasses.replace(config, data=str(Path(config.data).resolve()))


def _relative(data: str) -> str:
    """The path of the data relative to the current directory if it is below; else the same path."""
    path = Path(data)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else data


def _write_changes(run: RunFolder) -> None:
    kept = RunFolder(run.path)
    changed = dataclasses.replace(run.config, epochs=kept.config.epochs)
    if changed.data != kept.config.data:
        run.data()  # refuses other images
    if changed != kept.config and not run.is_preset:
        if changed.predict_by != kept.config.predict_by:
            run.remove_metrics()  # of other weights
        run.write_config(changed)
