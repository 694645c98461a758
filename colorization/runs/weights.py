"""RunWeights: the weights of a run, and the state of its training. The module does not import Keras."""

import json
from pathlib import Path
from typing import Any

from colorization.core.atomic_io import fingerprint
from colorization.core.config import read_value
from colorization.core.errors import InputError
from colorization.runs import checkpoint_io
from colorization.runs.checkpoint_io import Arrays
from colorization.runs.files import BEST, CONFIG, FROZEN, HISTORY, LAST, TUNED, RunFiles


class RunWeights(RunFiles):
    """RunFiles with the weights, and the state from which a training can be resumed."""

    def weights(self) -> Arrays:
        """Read the weights that predict: those of the best or of the last epoch, by the setting predict_by.

        Returns:
            {name: array}.

        Raises:
            InputError: they are missing or damaged.
        """
        if not self.exists():
            raise InputError(f"{self.path} is not a run folder: it has no {CONFIG}.")
        if BEST not in (files := self.weight_files()):
            raise InputError(f"{self.path} has no {BEST}: its training has not finished an epoch yet.")
        parts = (checkpoint_io.load(path, "model")[0] for path in files.values())
        return {name: array for part in parts for name, array in part.items()}

    def load_weights(self, model: Any) -> None:
        """Set a model to the weights that predict.

        Args:
            model: a keras.Model.

        Raises:
            InputError: the weights are missing or damaged, or do not fit.
        """
        checkpoint_io.assign(model.weights, self.weights(), self.path)

    def write_best(self, arrays: Arrays, epoch: int) -> None:
        """Write the best weights.

        Args:
            arrays: {name: array}.
            epoch: the number of their epoch.

        Raises:
            InputError: the file cannot be written.
        """
        checkpoint_io.save(self.path / BEST, {"model": arrays}, {"epoch": epoch})

    def read_frozen(self) -> Arrays:
        """Read the weights of the layers that are not trained.

        Returns:
            {name: array}.

        Raises:
            InputError: the file is missing or damaged.
        """
        return checkpoint_io.load(self.path / FROZEN, "model")[0]

    def write_frozen(self, arrays: Arrays) -> None:
        """Write the weights of the layers that are not trained.

        Args:
            arrays: {name: array}.

        Raises:
            InputError: the file cannot be written.
        """
        checkpoint_io.save(self.path / FROZEN, {"model": arrays})

    def model_fingerprint(self) -> str:
        """SHA-256 of settings and weights, in hex."""
        return fingerprint([self.path / CONFIG, *self.weight_files().values()])

    def model_stamp(self) -> tuple[int, ...]:
        """The times of the last change of settings and weights, in nanoseconds."""
        paths = (self.path / CONFIG, *self.weight_files().values())
        return tuple(path.stat().st_mtime_ns for path in paths if path.exists())

    def weight_files(self) -> dict[str, Path]:
        """The files with the weights that predict: {name in a copy of the run: Path}."""
        by_last = self.has_state() and read_value(self.path / CONFIG, "predict_by") == "last"
        paths = {BEST: self.path / (LAST if by_last else BEST), FROZEN: self.path / FROZEN}
        return {name: path for name, path in paths.items() if path.exists()}

    # state of the training

    def has_state(self) -> bool:
        """Whether an epoch was finished, so that the training can be resumed."""
        return (self.path / LAST).exists()

    def is_frozen(self) -> bool:
        """Whether the run contains its best weights only: a preset, a tuned run, or one without its state.

        Raises:
            InputError: the history is damaged.
        """
        if self.has_state():
            return False
        return self.is_preset or (self.path / TUNED).exists() or self._lost_its_state()

    def _lost_its_state(self):
        """Whether the best weights are of a longer training. One epoch may be that of a killed process."""
        return all((self.path / name).exists() for name in (BEST, HISTORY)) and len(self.history()) > 1

    def finished_epochs(self) -> int:
        """The number of finished epochs.

        Raises:
            InputError: the state is damaged.
        """
        return len(self._history_of(checkpoint_io.attributes(self.path / LAST))) if self.has_state() else 0

    def read_state(self) -> tuple[dict[str, Arrays], list[dict[str, float]]]:
        """Read the state after the last epoch.

        Returns:
            {group: {name: array}} and the history.

        Raises:
            InputError: the state is missing or damaged.
        """
        groups, attributes = checkpoint_io.load_groups(self.path / LAST)
        return groups, self._history_of(attributes)

    def write_state(self, groups: dict[str, Arrays], history: list[dict[str, float]]) -> None:
        """Write the state to resume from, in one file.

        Args:
            groups: {group: {name: array}}.
            history: the rows of the history.

        Raises:
            InputError: the file cannot be written.
        """
        checkpoint_io.save(self.path / LAST, groups, {"history": json.dumps(history)})

    def _history_of(self, attributes):
        try:
            return list(json.loads(attributes["history"]))
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.path / LAST} is damaged: it does not contain the history ({error})."
            ) from None
