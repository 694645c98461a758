"""RunFolder: a run with its data. The module does not import Keras."""

import json

from colorization.core.atomic_io import remove_unfinished, write_text
from colorization.core.errors import InputError
from colorization.datasets import Dataset, Images, Splits, loading
from colorization.runs.files import DATA, SPLITS
from colorization.runs.weights import RunWeights


class RunFolder(RunWeights):
    """A run: its settings, weights, data and measurements, in one folder.

    Arguments and attributes are those of RunFiles.
    """

    def dataset(self) -> Dataset:
        """Load the Dataset of the run: from the path in its config, or else from the path as it was given.

        Raises:
            InputError: the data are not found or not usable.
        """
        given = self._read_json(DATA).get("given") if (self.path / DATA).exists() else None
        moved = not loading.is_found(self.config.data) and given is not None
        source = str(given) if moved else self.config.data
        if self.exists() and not loading.is_found(source):
            raise InputError(
                f"{self} was trained on {source}, which is not found. Name its new place with --data."
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
        return loading.run_data(self.config, dataset, splits)

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
            True for the same name, classes, images and labels.

        Raises:
            InputError: the file with the identity of the data is missing or damaged.
        """
        identity = loading.identity(dataset)
        return {name: self.data_identity().get(name) for name in identity} == identity

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
