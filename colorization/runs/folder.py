"""RunFolder: a run with its data. The module does not import Keras."""

import json
from pathlib import Path

from colorization import datasets
from colorization.core.atomic_io import remove_unfinished, write_text
from colorization.core.errors import InputError
from colorization.datasets import Dataset, Images, Splits, loading
from colorization.runs.files import DATA, SPLITS
from colorization.runs.weights import RunWeights


class RunFolder(RunWeights):
    """A run: its settings, weights, data and measurements, in one folder.

    Arguments and attributes are those of RunFiles.
    """

    def source(self) -> str | None:
        """The name or path of the run's data: as in its config, or else as it was given.

        A relative path in the config is the name of data that a preset does not have.

        Returns:
            The name or path; None if the data are not found.

        Raises:
            InputError: the file with the identity of the data is damaged.
        """
        stored = self.config.data
        if stored in datasets.NAMES or (Path(stored).is_absolute() and Path(stored).exists()):
            return stored
        given = self._read_json(DATA).get("given") if (self.path / DATA).exists() else None
        return str(given) if given is not None and loading.is_found(str(given)) else None

    def dataset(self) -> Dataset:
        """Load the Dataset of the run.

        Raises:
            InputError: the data are not found or not usable.
        """
        source = self.source()
        if source is None and self.exists():
            raise InputError(
                f"{self} was trained on {self.config.data}, which is not found. Commands with the option "
                "--data take its new place."
            )
        return loading.load(self.config, source)

    def data(self) -> loading.RunData:
        """Load the RunData to train on.

        Raises:
            InputError: the data are not usable, or are not those of the run.
        """
        dataset = self.dataset()
        kept = self.has_state() or self.is_frozen()
        splits = self.splits(dataset) if kept else loading.split(self.config, dataset)
        return loading.run_data(self.config, dataset, splits, self.source())

    def images(self, split: str) -> tuple[Images, str]:
        """Load the images of one of the run's splits.

        Args:
            split: "train", "dev" or "test".

        Returns:
            Images, and the name of the data set.

        Raises:
            InputError: the data are not found, or are not those that the run was trained on.
        """
        dataset = self.dataset()
        rows = getattr(self.splits(dataset), split)
        return (dataset.train if split == "train" else dataset.test).rows(rows), dataset.name

    def is_trained_on(self, dataset: Dataset) -> bool:
        """Whether a Dataset has the same content as that of the run.

        Args:
            dataset: the Dataset.

        Returns:
            True for the same classes, images and labels. The name, that of the folder, may differ.

        Raises:
            InputError: the file with the identity of the data is missing or damaged.
        """
        kept, found = self.data_identity(), loading.identity(dataset)
        return all(kept.get(name) == found[name] for name in found.keys() - {"name"})

    def splits(self, dataset: Dataset | None = None) -> Splits:
        """Read the splits of the run.

        Args:
            dataset: the Dataset of the splits, which is checked; None checks nothing.

        Returns:
            Splits.

        Raises:
            InputError: the splits are missing or damaged, or the run was trained on other data.
        """
        if dataset is None:
            return Splits.load(self.path / SPLITS)
        if not self.is_trained_on(dataset):
            raise InputError(
                f"{self.path} was trained on other images than those in {dataset.name}. Restore these images."
            )
        splits = Splits.load(self.path / SPLITS)
        parts = zip(
            (splits.train, splits.dev, splits.test), (dataset.train, dataset.test, dataset.test), strict=True
        )
        for rows, part in parts:
            if not len(rows) or rows.min() < 0 or rows.max() >= len(part):
                raise InputError(f"{self.path / SPLITS} does not match the data. Train the run again.")
        return splits

    def write_data(self, data: loading.RunData, given: str | None = None) -> None:
        """Write the identity and the splits of the run's data.

        Args:
            data: the RunData.
            given: the path of the data as the user wrote it, or None.

        Raises:
            InputError: a file cannot be written.
        """
        identity = {**loading.identity(data.dataset), **({"given": given} if given else {})}
        write_text(self.path / DATA, json.dumps(identity, indent=2) + "\n")
        data.splits.save(self.path / SPLITS)

    # the folder itself

    def make(self) -> None:
        """Make the folder, and delete the incomplete files of a killed process in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.path)

    def is_blocked(self) -> bool:
        """Whether the path contains files of something else than a run. Hidden files do not count."""
        if not self.path.exists():
            return False
        return not self.path.is_dir() or any(not entry.name.startswith(".") for entry in self.path.iterdir())
