"""The judge's answers for pictures. Results of long computations are stored on the disk, part by part."""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from colorization.core.atomic_io import replacing
from colorization.core.config import ColorizerConfig
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets import leak_check, loading
from colorization.evaluation import evaluator
from colorization.runs.folder import RunFolder
from vgg_eval import columns, model
from vgg_eval.columns import Column
from vgg_eval.config import JudgeConfig


class Judge(NamedTuple):
    """A trained judge.

    Attributes:
        model: its keras.Model.
        run: its RunFolder.
    """

    model: keras.Model
    run: RunFolder

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the model's outputs."""
        return self.run.classes()

    def probabilities(self, rgb: np.ndarray) -> np.ndarray:
        """The judge's probabilities of the classes.

        Args:
            rgb: (N, H, W, 3), uint8 or float in 0..255.

        Returns:
            (N, classes) float32, the softmax.
        """
        config = self.run.config
        step = config.dev_batch_size
        logits = [
            self.model.predict_on_batch(model.enlarged(rgb[start : start + step], config.vgg_size))
            for start in tqdm(range(0, len(rgb), step), desc="judging", unit=" batches", leave=False)
        ]
        return ops.convert_to_numpy(ops.softmax(np.concatenate(logits)))


def load(run_dir: StrPath) -> Judge:
    """Load the judge of a run folder, with the weights that its config names in `predict_by`.

    Args:
        run_dir: path of the run folder.

    Returns:
        Judge.

    Raises:
        InputError: it is not the run folder of a judge, it has no weights yet, or they do not fit.
    """
    run = RunFolder(run_dir)
    return Judge(model.load(run), run)


class SharedImages(NamedTuple):
    """The images that all columns share.

    Attributes:
        rgb: (N, H, W, 3) uint8.
        labels: (N,) int64.
        name: of the data set.
        split: "dev" or "test".
    """

    rgb: np.ndarray
    labels: np.ndarray
    name: str
    split: str


def unseen_images(colorizers: Sequence[RunFolder], judges: Iterable[RunFolder], split: str) -> SharedImages:
    """The images of a split that the colorizers share. No judge was trained on them.

    Args:
        colorizers: RunFolders of colorizers.
        judges: RunFolders of judges.
        split: "dev" or "test".

    Returns:
        SharedImages.

    Raises:
        InputError: the colorizers have different data or splits, a judge was trained on some of the images or
            has other classes, or the data are not found.
    """
    first = colorizers[0].expect(ColorizerConfig)
    dataset = first.dataset()
    rows = getattr(first.splits(dataset), split)
    for run in colorizers[1:]:
        if not np.array_equal(getattr(run.splits(dataset), split), rows):
            raise InputError(
                f"{run} and {first} have different splits. Train them with the same split_seed and sizes."
            )
    images = dataset.test.rows(rows)
    shown = SharedImages(images.images, images.labels, dataset.name, split)
    for run in judges:
        _refuse_known(shown, dataset.classes, run.expect(JudgeConfig))
    return shown


def _refuse_known(shown: SharedImages, classes: tuple[str, ...], run: RunFolder) -> None:
    """Raise InputError if a judge learned from the images, or has other classes.

    Images are compared by content, at the size at which they are shown, as the judge's data may be in another
    place: its training images, and for the test split also its dev images, which chose its best epoch.
    """
    dataset = run.dataset()
    if dataset.classes != classes:
        raise InputError(f"{run} has the classes of {dataset.name}, but those of {shown.name} are needed.")
    splits = run.splits(dataset)
    side = shown.rgb.shape[1]
    if dataset.train.images.shape[1] != side:
        dataset = loading.load(run.config, run.source(), side)
    known = [dataset.train.images[splits.train]]
    if shown.split == "test":
        known.append(dataset.test.images[splits.dev])
    leak_check.refuse_known(
        shown.rgb,
        known,
        f"{run} was trained on {{share}} of the {shown.split} images. Train it with the split_seed, "
        "dev_size and test_size of the colorizers.",
    )


def judged(
    judges: Mapping[str, Judge],
    column: Column,
    runs: Mapping[str, RunFolder],
    shown: SharedImages,
    temperature: float,
    folder: Path,
) -> dict[str, np.ndarray]:
    """The probabilities of each judge for the pictures of a column.

    They are stored in a file. Its name depends on all inputs. A stored result is not computed again.

    Args:
        judges: {name: Judge}.
        column: a Column.
        runs: {Column.colorizer: RunFolder}.
        shown: SharedImages.
        temperature: of the annealed mean.
        folder: Path of stored results.

    Returns:
        {name: (N, classes) float32}.
    """
    pictures, results = None, {}
    for name, judge in judges.items():
        used = [judge.run] + ([runs[column.colorizer]] if column.colorizer else [])
        unique = key(used, shown, column.decoding, column.at(temperature))
        path = folder / f"{column.name.replace(' ', '-')}-{unique}.npz"
        found = _read(path, (len(shown.rgb), len(judge.classes)))
        if found is None:
            if pictures is None:
                pictures = columns.colorize(column, runs, shown.rgb, temperature)
            found = judge.probabilities(pictures)
            with replacing(path) as temporary:
                np.savez(temporary, probabilities=found)  # the zip has its own checksums
        results[name] = found
    return results


def _read(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """The probabilities in a file; None if they are missing, damaged or of another shape."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            values = found["probabilities"]
        return values if values.shape == shape else None
    except Exception:  # NumPy raises many exceptions for a damaged file
        return None


def key(used: Iterable[RunFolder], shown: SharedImages, *rest: Any) -> str:
    """A hash of the inputs of a computation.

    Args:
        used: RunFolders; their weights and settings count.
        shown: SharedImages.
        rest: other values that JSON supports.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(json.dumps(rest).encode())
    for run in used:
        digest.update(_fingerprint(run.path, run.model_stamp()).encode())
    digest.update(np.ascontiguousarray(shown.rgb).data)
    return digest.hexdigest()[:16]


@functools.cache
def _fingerprint(path: Path, stamp: tuple[int, ...]) -> str:
    """The fingerprint of a run's model, computed once for each change."""
    return RunFolder(path).model_fingerprint()


def evaluate(run_dir: StrPath) -> dict[str, Any]:
    """Measure a judge on its own dev images, in true color and in gray, and write its metrics.json.

    Args:
        run_dir: path of the run folder.

    Returns:
        {"images": count, "truth": accuracy, "gray": accuracy}.

    Raises:
        InputError: the run or its data are not usable.
    """
    judge = load(run_dir)
    images, _ = judge.run.images("dev")
    report: dict[str, Any] = {"images": len(images)}
    for name, pictures in (("truth", images.images), ("gray", columns.gray(images.images))):
        report[name] = float(np.mean(judge.probabilities(pictures).argmax(axis=1) == images.labels))
    evaluator.keep(judge.run, "dev", report)
    return report
