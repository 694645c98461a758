"""What a judge says of pictures; long work is kept on disk part by part, and found again."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from colorization import config, runs, training
from colorization.errors import InputError
from colorization.files import replacing

from . import classifier, methods
from .config import JudgeConfig


class Judge(NamedTuple):
    """A trained judge.

    model: keras.Model of classifier.build.
    settings: its JudgeConfig.
    classes: names, in the order of the model's outputs.
    run_dir: Path.
    """

    model: keras.Model
    settings: JudgeConfig
    classes: list
    run_dir: Path

    def probabilities(self, rgb):
        """The softmax, (N, classes) float32, of (N, H, W, 3) uint8 images."""
        step = self.settings.dev_batch_size
        logits = [
            self.model.predict_on_batch(
                classifier.enlarged(rgb[start : start + step], self.settings.vgg_size)
            )
            for start in tqdm(range(0, len(rgb), step), desc="judging", unit=" batches", leave=False)
        ]
        return ops.convert_to_numpy(ops.softmax(np.concatenate(logits)))


def load(run_dir):
    """The Judge of a run folder, with its best weights.

    Raises:
        InputError: no judge's run folder, no weights in it yet, or weights that do not fit.
    """
    settings, model, classes = classifier.load(run_dir)
    return Judge(model, settings, classes, Path(run_dir))


class Images(NamedTuple):
    """The images that all columns share.

    rgb: (N, H, W, 3) uint8. labels: (N,) int64. name: of the data set. split: "dev" or "test".
    """

    rgb: np.ndarray
    labels: np.ndarray
    name: str
    split: str


def images(run_dirs, judge_dirs, split):
    """The Images of a split that colorizers share, of which no judge has seen any in its training.

    Args:
        run_dirs: colorizers' run folders.
        judge_dirs: judges' run folders.
        split: "dev" or "test".

    Raises:
        InputError: the runs were trained on different data or have different splits, or the data are not
            there any more.
    """
    first = Path(run_dirs[0])
    settings = runs.read_config(first)
    data = training.load_data(settings)
    rows = getattr(training.read_splits(first, data), split)
    for run_dir in (*run_dirs[1:], *judge_dirs):
        splits = training.read_splits(run_dir, data)
        alike = np.array_equal(getattr(splits, split), rows)
        if not alike and (run_dir in run_dirs or (split == "test" and np.isin(splits.dev, rows).any())):
            raise InputError(
                f"{run_dir} and {first} were trained with other splits: use one split_seed and size."
            )
    return Images(data.test.images[rows], data.test.labels[rows], data.name, split)


def judged(judge, method, run_dirs, shown, temperature, folder):
    """The judge's probabilities for what a method makes of the images.

    They are kept in `folder`, under a name that says all that they depend on; what is there is not redone.

    Args:
        judge: a Judge.
        method: a methods.Method.
        run_dirs: {task: run folder}.
        shown: Images.
        temperature: of the annealed mean.
        folder: Path.

    Returns:
        (N, classes) float32.
    """
    used = [judge.run_dir] + ([run_dirs[method.task]] if method.task else [])
    path = folder / f"{method.name}-{key(used, shown, method.decoding, temperature)}.npy".replace(" ", "-")
    try:
        found = np.load(path, allow_pickle=False)
        if found.shape == (len(shown.rgb), len(judge.classes)):
            return found
    except (OSError, ValueError, EOFError):
        pass  # not there, or damaged
    result = judge.probabilities(methods.colorize(method, run_dirs, shown.rgb, temperature))
    with replacing(path) as temporary:
        np.save(temporary, result)
    return result


def key(used, shown, *rest):
    """A hash of the weights and settings of run folders, of Images, and of whatever else."""
    digest = hashlib.sha256(json.dumps(rest).encode())
    for run_dir in map(Path, used):
        for name in (config.FILE, runs.BEST, runs.FROZEN):
            path = run_dir / name
            digest.update(path.read_bytes() if path.exists() else b"")
    digest.update(np.ascontiguousarray(shown.rgb))
    return digest.hexdigest()[:16]


def evaluate(run_dir):
    """A judge's accuracy on its own dev images, truly coloured and grey; also goes into its metrics.json.

    Returns:
        {"images": count, "truth": accuracy, "grey": accuracy}.

    Raises:
        InputError: the run or its data are not usable.
    """
    judge = load(run_dir)
    data = training.load_data(judge.settings)
    rows = training.read_splits(run_dir, data).dev
    rgb, labels = data.test.images[rows], data.test.labels[rows]
    report = {"images": len(rows)}
    for name, pictures in (("truth", rgb), ("grey", methods.grey(rgb))):
        report[name] = float(np.mean(judge.probabilities(pictures).argmax(axis=1) == labels))
    runs.write_metrics(run_dir, {**runs.read_metrics(run_dir), "dev": report})
    return report
