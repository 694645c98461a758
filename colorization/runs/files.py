"""RunFiles: the files of a run folder, each with a method to read and to write it. No Keras."""

import functools
import json
from pathlib import Path
from typing import Any, Self

from colorization.core.atomic_io import write_text
from colorization.core.color_prior import ColorPrior
from colorization.core.config import CONFIGS, Config, read_task, to_json
from colorization.core.config import read as read_config
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.runs.history import read_history, write_history
from colorization.runs.old_names import renamed_metrics

CONFIG = "config.json"
BEST = "best.weights.h5"
FROZEN = "frozen.weights.h5"  # weights that training does not change; BEST and LAST do not repeat them
LAST = "last.weights.h5"  # with the state of the optimizer and the history, to resume from
DATA = "data.json"
SPLITS = "splits.npz"
COLOR_PRIOR = "statistics.json"
SESSIONS = "environment.json"
HISTORY = "history.csv"
METRICS = "metrics.json"
TUNED = "tuned.json"
ONNX = "colorizer.onnx"
SAMPLES = "samples"
LOGS = "logs"
TUNING = "tune"
LOCK = ".lock"
CHECKSUMS = "SHA256SUMS.json"  # of a preset: {file name: SHA-256 in hex} of every other file
CARD = "README.md"  # of a preset

MODEL = (CONFIG, BEST, FROZEN)  # all files of a run's model
PORTABLE = (DATA, SPLITS, COLOR_PRIOR, SESSIONS, HISTORY, TUNED)  # the other files of a preset


class RunFiles:
    """The files of a run folder: settings, history, colors of the data, sessions and measurements.

    Args:
        path: path of the folder, which need not exist.
        config: the Config of a training; None reads that in the folder.

    Attributes:
        path: Path of the folder.
        onnx_path: of the run as ONNX.
        logs_path: of the TensorBoard logs.
        tuning_path: of the tables and pictures of a tuning.
        lock_path: of the lock of the process that writes into the folder.
        card_path: of the model card of a preset.
        checksums_path: of the checksums of a preset.
    """

    def __init__(self, path: StrPath, config: Config | None = None):
        self.path = Path(path)
        self.onnx_path = self.path / ONNX
        self.logs_path = self.path / LOGS
        self.tuning_path = self.path / TUNING
        self.lock_path = self.path / LOCK
        self.card_path = self.path / CARD
        self.checksums_path = self.path / CHECKSUMS
        if config is not None:
            self.config = config

    def __repr__(self) -> str:
        return printable(self.path)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    def exists(self) -> bool:
        """Whether the folder contains a run."""
        return (self.path / CONFIG).exists()

    @property
    def is_preset(self) -> bool:
        """Whether the run is a preset, or a copy of one. Its files have checksums and must not change."""
        return (self.path / CHECKSUMS).exists()

    # settings

    @functools.cached_property
    def config(self) -> Any:
        """The Config of the run.

        Raises:
            InputError: it is missing or damaged.
        """
        return read_config(self.path / CONFIG)

    @property
    def task(self) -> str:
        """Name of the task. The task may be unknown to this program.

        Raises:
            InputError: the config is missing or damaged.
        """
        return read_task(self.path / CONFIG)

    def expect(self, kind: type[Config]) -> Self:
        """Check the class of the config.

        Args:
            kind: a subclass of Config.

        Returns:
            The folder itself.

        Raises:
            InputError: the config is of another class.
        """
        if not isinstance(self.config, kind):
            tasks = ", ".join(name for name, known in CONFIGS.items() if issubclass(known, kind))
            raise InputError(
                f"{self.path / CONFIG} has the task {self.config.task!r}, but one of {tasks} is needed."
            )
        return self

    def write_config(self, config: Config) -> None:
        """Write a Config, and make it that of the run.

        Args:
            config: the Config.

        Raises:
            InputError: the file cannot be written.
        """
        write_text(self.path / CONFIG, to_json(config))
        self.config = config

    def history(self) -> list[dict[str, float]]:
        """Read the rows of history.csv.

        Returns:
            [{name: value}], a row for each epoch.

        Raises:
            InputError: the file is missing or damaged.
        """
        return read_history(self.path / HISTORY)

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write history.csv.

        Args:
            rows: [{name: value}], a row for each epoch.

        Raises:
            InputError: the file cannot be written.
        """
        write_history(self.path / HISTORY, rows)

    # data

    def data_identity(self) -> dict[str, Any]:
        """Read the identity of the run's data, see loading.identity.

        Raises:
            InputError: the file is missing or damaged.
        """
        return self._read_json(DATA)

    def classes(self) -> list[str]:
        """Names of the classes of the run's data.

        Raises:
            InputError: the file is missing or damaged.
        """
        names = self.data_identity().get("classes")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise InputError(f"{self.path / DATA} is damaged: it does not list the classes.")
        return names

    def has_color_prior(self) -> bool:
        """Whether the folder contains the color prior of the training set."""
        return (self.path / COLOR_PRIOR).exists()

    def color_prior(self) -> ColorPrior:
        """Read the ColorPrior of the training set.

        Raises:
            InputError: the file is missing or damaged.
        """
        path = self.path / COLOR_PRIOR
        try:
            return ColorPrior.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise InputError(f"{path} is missing, or is not a color prior ({error}).") from None

    def write_color_prior(self, prior: ColorPrior) -> None:
        """Write the ColorPrior of the training set.

        Args:
            prior: the ColorPrior.

        Raises:
            InputError: the file cannot be written.
        """
        write_text(self.path / COLOR_PRIOR, json.dumps(prior.to_dict()) + "\n")

    # sessions and measurements

    def sessions(self) -> list[dict[str, Any]]:
        """Read the sessions of the training.

        Returns:
            [{name: value}]: machine, software, epochs and seconds of each session.

        Raises:
            InputError: the file is missing or damaged.
        """
        return list(self._read_json(SESSIONS).get("starts", []))

    def known_sessions(self) -> list[dict[str, Any]]:
        """The sessions; an empty list if the file is missing or damaged."""
        try:
            return self.sessions()
        except InputError:
            return []

    def write_sessions(self, sessions: list[dict[str, Any]]) -> None:
        """Write the sessions of the training.

        Args:
            sessions: result of `sessions`.

        Raises:
            InputError: the file cannot be written.
        """
        write_text(self.path / SESSIONS, json.dumps({"starts": sessions}, indent=2) + "\n")

    def metrics(self) -> dict[str, dict]:
        """Read the evaluations.

        Returns:
            {evaluation: report}; empty if there is no file.

        Raises:
            InputError: the file is damaged.
        """
        return self._read_json(METRICS, renamed_metrics) if (self.path / METRICS).exists() else {}

    def write_metrics(self, metrics: dict[str, dict]) -> None:
        """Write the evaluations. The files of a preset do not change.

        Args:
            metrics: {evaluation: report}.

        Raises:
            InputError: the file cannot be written.
        """
        if not self.is_preset:
            write_text(self.path / METRICS, json.dumps(metrics, indent=2) + "\n")

    def remove_metrics(self) -> None:
        """Delete the evaluations of earlier weights."""
        (self.path / METRICS).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete the files of a run without a finished epoch, except for config and sessions."""
        for name in {*MODEL, *PORTABLE, METRICS} - {CONFIG, SESSIONS}:  # these two are replaced
            (self.path / name).unlink(missing_ok=True)

    def tuned(self) -> dict[str, float]:
        """Read the changes that were made after the training.

        Returns:
            {"strength": number}; empty if there were none.

        Raises:
            InputError: the file is damaged.
        """
        return self._read_json(TUNED) if (self.path / TUNED).exists() else {}

    def write_tuned(self, tuned: dict[str, float]) -> None:
        """Write the changes that were made after the training.

        Args:
            tuned: {"strength": number}.

        Raises:
            InputError: the file cannot be written.
        """
        write_text(self.path / TUNED, json.dumps(tuned) + "\n")

    def _read_json(self, name, form=dict):
        try:
            return form(json.loads((self.path / name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{self.path / name} is missing or damaged ({error}).") from None

    # pictures

    def sample_path(self, epoch: int) -> Path:
        """Path of the sample picture of an epoch.

        Args:
            epoch: number of the epoch, from 1.

        Returns:
            Path of a PNG file.
        """
        return self.path / SAMPLES / f"epoch_{epoch:03d}.png"

    # presets

    def portable_files(self) -> list[str]:
        """Names of the files that a copy of the run keeps unchanged."""
        return [name for name in PORTABLE if (self.path / name).exists()]
