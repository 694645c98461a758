"""RunFolder: the only code that reads and writes the files of a run folder. It does not import Keras."""

import functools
import json
from pathlib import Path
from typing import Any

from colorization.core.atomic_io import fingerprint, remove_unfinished, write_text
from colorization.core.color_prior import ColorPrior
from colorization.core.config import CONFIGS, Config, read_task, to_json
from colorization.core.config import read as read_config
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets import Dataset, Images, Splits, loading
from colorization.runs import checkpoint_io
from colorization.runs.checkpoint_io import Arrays
from colorization.runs.history import read_history, write_history
from colorization.runs.old_names import renamed_metrics

_CONFIG = "config.json"
_BEST = "best.weights.h5"
_FROZEN = "frozen.weights.h5"  # the weights that training leaves unchanged; the other files do without them
_LAST = "last.weights.h5"  # with the optimizer's state and the history: all that resuming needs
_DATA = "data.json"
_SPLITS = "splits.npz"
_COLOR_PRIOR = "statistics.json"
_SESSIONS = "environment.json"
_HISTORY = "history.csv"
_METRICS = "metrics.json"
_TUNED = "tuned.json"
_ONNX = "colorizer.onnx"
_SAMPLES = "samples"
_LOGS = "logs"
_TUNING = "tune"
_LOCK = ".lock"
_CHECKSUMS = "SHA256SUMS.json"  # of a preset: {file name: SHA-256 in hex} of every other file
_CARD = "README.md"  # of a preset

_MODEL = (_CONFIG, _BEST, _FROZEN)  # all files of a run's model
_PORTABLE = (_DATA, _SPLITS, _COLOR_PRIOR, _SESSIONS, _HISTORY, _TUNED)  # the other files of a preset


class RunFolder:
    """A run: its settings, weights, data and measurements, in one folder.

    Args:
        path: of the folder, which need not exist.
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
        self.onnx_path = self.path / _ONNX
        self.logs_path = self.path / _LOGS
        self.tuning_path = self.path / _TUNING
        self.lock_path = self.path / _LOCK
        self.card_path = self.path / _CARD
        self.checksums_path = self.path / _CHECKSUMS
        if config is not None:
            self.config = config

    def __repr__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return (self.path / _CONFIG).exists()

    @property
    def is_preset(self) -> bool:
        """Whether the run is a preset, or a copy of one, whose files have checksums and do not change."""
        return (self.path / _CHECKSUMS).exists()

    # settings

    @functools.cached_property
    def config(self) -> Any:
        """The Config. Raises InputError if it is missing or damaged."""
        return read_config(self.path / _CONFIG)

    @property
    def task(self):
        """Name of the task, also of one whose settings this program does not know. Raises InputError."""
        return read_task(self.path / _CONFIG)

    def expect(self, kind: type[Config]) -> "RunFolder":
        """The RunFolder itself. Raises InputError unless its config is one of `kind`, a class of settings."""
        if not isinstance(self.config, kind):
            tasks = ", ".join(name for name, known in CONFIGS.items() if issubclass(known, kind))
            raise InputError(
                f"{self.path / _CONFIG} has the task {self.config.task!r}, but one of {tasks} is needed."
            )
        return self

    def write_config(self, config: Config) -> None:
        """Write a Config, which is the run's from now on."""
        write_text(self.path / _CONFIG, to_json(config))
        self.config = config

    # weights

    def weights(self) -> Arrays:
        """{name: array}: the best weights. Raises InputError if there are none, or damaged ones."""
        if not self.exists():
            raise InputError(f"{self.path} is not a run folder: it has no {_CONFIG}.")
        best, frozen = self.path / _BEST, self.path / _FROZEN
        if not best.exists():
            raise InputError(f"{self.path} has no {_BEST}: its training has not finished an epoch yet.")
        parts = [frozen, best] if frozen.exists() else [best]
        return {name: array for part in parts for name, array in checkpoint_io.load(part, "model")[0].items()}

    def load_weights(self, model: Any) -> None:
        """Set a Keras model to the best weights. Raises InputError if they do not fit."""
        checkpoint_io.assign(model.weights, self.weights(), self.path)

    def write_best(self, arrays: Arrays, epoch: int) -> None:
        """Write the best weights, {name: array}, and the number of their epoch."""
        checkpoint_io.save(self.path / _BEST, {"model": arrays}, {"epoch": epoch})

    def read_frozen(self) -> Arrays:
        """{name: array} of the layers that are not trained. Raises InputError."""
        return checkpoint_io.load(self.path / _FROZEN, "model")[0]

    def write_frozen(self, arrays: Arrays) -> None:
        """Write {name: array} of the layers that are not trained."""
        checkpoint_io.save(self.path / _FROZEN, {"model": arrays})

    def model_fingerprint(self) -> str:
        """SHA-256, in hex, of settings and weights."""
        return fingerprint(self.path / name for name in _MODEL)

    def model_stamp(self) -> tuple[int, ...]:
        """The times at which settings and weights were written, to notice a change."""
        paths = (self.path / name for name in _MODEL)
        return tuple(path.stat().st_mtime_ns for path in paths if path.exists())

    # state of the training

    def has_state(self) -> bool:
        """Whether an epoch was finished here, from which a training can resume."""
        return (self.path / _LAST).exists()

    def is_frozen(self) -> bool:
        """Whether the run holds its best weights alone, as a preset or after tuning."""
        return not self.has_state() and (self.is_preset or (self.path / _TUNED).exists())

    def finished_epochs(self) -> int:
        """The number of finished epochs. Raises InputError for a damaged state."""
        return len(self._history_of(checkpoint_io.attributes(self.path / _LAST))) if self.has_state() else 0

    def read_state(self) -> tuple[dict[str, Arrays], list[dict[str, float]]]:
        """({group: {name: array}}, history) after the last epoch. Raises InputError."""
        groups, attributes = checkpoint_io.load_groups(self.path / _LAST)
        return groups, self._history_of(attributes)

    def write_state(self, groups: dict[str, Arrays], history: list[dict[str, float]]) -> None:
        """Write all that resuming needs, {group: {name: array}} and history, in one piece."""
        checkpoint_io.save(self.path / _LAST, groups, {"history": json.dumps(history)})

    def _history_of(self, attributes):
        try:
            return list(json.loads(attributes["history"]))
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.path / _LAST} is damaged: it does not contain the history ({error})."
            ) from None

    def history(self) -> list[dict[str, float]]:
        """The rows of history.csv, [{name: value}]. Raises InputError if it is missing or damaged."""
        return read_history(self.path / _HISTORY)

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write history.csv."""
        write_history(self.path / _HISTORY, rows)

    # data

    def dataset(self) -> Dataset:
        """The Dataset of the run: at the path in its config, or else at the path given at its start.

        Raises InputError if it is not found.
        """
        given = self._read_json(_DATA).get("given") if (self.path / _DATA).exists() else None
        moved = not loading.is_found(self.config.data) and given is not None
        source = str(given) if moved else self.config.data
        if self.exists() and not loading.is_found(source):
            raise InputError(
                f"{self} was trained on {source}, which is not found. Name its new place with --data."
            )
        return loading.load(self.config, source)

    def data(self) -> loading.RunData:
        """The RunData to train on. Raises InputError if the run was begun with other data."""
        dataset = self.dataset()
        kept = self.has_state() or self.is_frozen()
        splits = self.splits(dataset) if kept else loading.split(self.config, dataset)
        return loading.run_data(self.config, dataset, splits)

    def images(self, split: str) -> tuple[Images, str]:
        """(Images, name of the data set) of one of the run's splits: "train", "dev" or "test".

        Raises InputError if the data are missing, or are not those that the run was trained on.
        """
        dataset = self.dataset()
        rows = getattr(self.splits(dataset), split)
        return (dataset.train if split == "train" else dataset.test).rows(rows), dataset.name

    def is_trained_on(self, dataset: Dataset) -> bool:
        """Whether a Dataset has the same content as that of the run. Raises InputError."""
        identity = loading.identity(dataset)
        return {name: self.data_identity().get(name) for name in identity} == identity

    def data_identity(self) -> dict[str, Any]:
        """loading.identity of the run's data. Raises InputError."""
        return self._read_json(_DATA)

    def classes(self) -> list[str]:
        """Names of the classes of the run's data. Raises InputError."""
        names = self.data_identity().get("classes")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise InputError(f"{self.path / _DATA} is damaged: it does not list the classes.")
        return names

    def splits(self, dataset: Dataset | None = None) -> Splits:
        """The Splits. Raises InputError if they are missing or damaged, or `dataset` is not the one split."""
        if dataset is None:
            return Splits.load(self.path / _SPLITS)
        if not self.is_trained_on(dataset):
            raise InputError(
                f"{self.path} was trained on other images than those in {dataset.name}. Restore these images."
            )
        splits = Splits.load(self.path / _SPLITS)
        parts = zip(
            (splits.train, splits.dev, splits.test), (dataset.train, dataset.test, dataset.test), strict=True
        )
        for rows, part in parts:
            if not len(rows) or rows.min() < 0 or rows.max() >= len(part):
                raise InputError(f"{self.path / _SPLITS} does not match the data. Train the run again.")
        return splits

    def write_data(self, data: loading.RunData, given: str | None = None) -> None:
        """Write identity and splits of a RunData, and the path of the data as it was given."""
        identity = {**loading.identity(data.dataset), **({"given": given} if given else {})}
        write_text(self.path / _DATA, json.dumps(identity, indent=2) + "\n")
        data.splits.save(self.path / _SPLITS)

    def has_color_prior(self) -> bool:
        """Whether the colors of the training set are in the folder."""
        return (self.path / _COLOR_PRIOR).exists()

    def color_prior(self) -> ColorPrior:
        """The ColorPrior of the training set. Raises InputError if it is missing or damaged."""
        path = self.path / _COLOR_PRIOR
        try:
            return ColorPrior.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise InputError(f"{path} is missing, or is not a color prior ({error}).") from None

    def write_color_prior(self, prior: ColorPrior) -> None:
        """Write a ColorPrior."""
        write_text(self.path / _COLOR_PRIOR, json.dumps(prior.to_dict()) + "\n")

    # sessions and measurements

    def sessions(self) -> list[dict[str, Any]]:
        """[{...}]: machine, software, epochs and seconds of each session of training. Raises InputError."""
        return list(self._read_json(_SESSIONS).get("starts", []))

    def known_sessions(self) -> list[dict[str, Any]]:
        """sessions(), or [] if there are none, or damaged ones, which are no reason not to train."""
        try:
            return self.sessions()
        except InputError:
            return []

    def write_sessions(self, sessions: list[dict[str, Any]]) -> None:
        """Write what sessions() reads."""
        write_text(self.path / _SESSIONS, json.dumps({"starts": sessions}, indent=2) + "\n")

    def metrics(self) -> dict[str, dict]:
        """{evaluation: report}; {} if nothing was measured. Raises InputError for a damaged file."""
        return self._read_json(_METRICS, renamed_metrics) if (self.path / _METRICS).exists() else {}

    def write_metrics(self, metrics: dict[str, dict]) -> None:
        """Write what metrics() reads; a preset does not change."""
        if not self.is_preset:
            write_text(self.path / _METRICS, json.dumps(metrics, indent=2) + "\n")

    def remove_metrics(self) -> None:
        """Delete the measurements of earlier weights."""
        (self.path / _METRICS).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete the files of a run that has not finished an epoch, but for config and sessions."""
        for name in {*_MODEL, *_PORTABLE, _METRICS} - {_CONFIG, _SESSIONS}:  # these two are replaced
            (self.path / name).unlink(missing_ok=True)

    def tuned(self) -> dict[str, float]:
        """{"strength", ...}: the changes after the training; {} if none. Raises InputError."""
        return self._read_json(_TUNED) if (self.path / _TUNED).exists() else {}

    def write_tuned(self, tuned: dict[str, float]) -> None:
        """Write what tuned() reads."""
        write_text(self.path / _TUNED, json.dumps(tuned) + "\n")

    def _read_json(self, name, form=dict):
        try:
            return form(json.loads((self.path / name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{self.path / name} is missing or damaged ({error}).") from None

    # the folder itself

    def sample_path(self, epoch: int) -> Path:
        """Path of the sample picture of an epoch."""
        return self.path / _SAMPLES / f"epoch_{epoch:03d}.png"

    def make(self) -> None:
        """Make the folder, and delete what a killed process left half-written in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.path)

    def is_blocked(self) -> bool:
        """Whether the path holds something other than a run, hidden files apart."""
        if not self.path.exists():
            return False
        return not self.path.is_dir() or any(not entry.name.startswith(".") for entry in self.path.iterdir())

    # presets

    def portable_files(self) -> list[str]:
        """Names of the files that a preset takes over unchanged from its run."""
        return [name for name in _PORTABLE if (self.path / name).exists()]

    def weight_files(self) -> list[str]:
        """Names of the files with the model's weights."""
        return [name for name in (_BEST, _FROZEN) if (self.path / name).exists()]
