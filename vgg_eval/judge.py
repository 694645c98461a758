"""What a judge says of pictures; long work is kept on disk part by part, and found again."""

import functools
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from colorization.core import config
from colorization.inference import runtimes
from colorization.runs import folder
from colorization.training import train
from colorization.core.errors import InputError
from colorization.core.atomic_io import replacing

from vgg_eval import model, columns
from vgg_eval.config import CONFIGS, JudgeConfig

_TWINS = 0.01  # share of images that a data set may hold twice


class Judge(NamedTuple):
    """A trained judge.

    Attributes:
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
        """The softmax, (N, classes) float32, of (N, H, W, 3) images, uint8 or float in 0..255."""
        step = self.settings.dev_batch_size
        logits = [
            self.model.predict_on_batch(
                model.enlarged(rgb[start : start + step], self.settings.vgg_size)
            )
            for start in tqdm(range(0, len(rgb), step), desc="judging", unit=" batches", leave=False)
        ]
        return ops.convert_to_numpy(ops.softmax(np.concatenate(logits)))


def load(run_dir):
    """The Judge of a run folder, with its best weights.

    Raises:
        InputError: no judge's run folder, no weights in it yet, or weights that do not fit.
    """
    settings, model, classes = model.load(run_dir)
    return Judge(model, settings, classes, Path(run_dir))


class Images(NamedTuple):
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


def images(run_dirs, judge_dirs, split):
    """The Images of a split that colorizers share, which no judge has learned from.

    Args:
        run_dirs: colorizers' run folders.
        judge_dirs: judges' run folders.
        split: "dev" or "test".

    Raises:
        InputError: the colorizers were trained on different data or splits, a judge was on some of the images
            or on other classes, or the data are not there any more.
    """
    first = Path(run_dirs[0])
    settings = folder.read_config(first)
    data = train.load_data(settings)
    rows = getattr(train.read_splits(first, data), split)
    for run_dir in run_dirs[1:]:
        if not np.array_equal(getattr(train.read_splits(run_dir, data), split), rows):
            raise InputError(
                f"{run_dir} and {first} were trained with other splits: use one split_seed and size."
            )
    shown = Images(data.test.images[rows], data.test.labels[rows], data.name, split)
    for run_dir in judge_dirs:
        _refuse_known(shown, data.classes, run_dir)
    return shown


def _refuse_known(shown, classes, judge_dir):
    """Raise InputError if a judge learned from the images, or to tell other classes.

    Images are compared by what they show, at the size at which they are shown, as the judge's data may lie
    elsewhere: its training images, and for the test split also its dev images, by which its best epoch was
    chosen.
    """
    settings = folder.read_config(judge_dir, CONFIGS)
    data = train.load_data(settings)
    if data.classes != classes:
        raise InputError(f"{judge_dir} tells the classes of {data.name}, not those of {shown.name}.")
    splits = train.read_splits(judge_dir, data)
    if data.train.images.shape[1] != shown.rgb.shape[1]:
        data = train.load_data(settings, side=shown.rgb.shape[1])
    known = {image.tobytes() for image in data.train.images[splits.train]}
    if shown.split == "test":
        known |= {image.tobytes() for image in data.test.images[splits.dev]}
    share = np.mean([image.tobytes() in known for image in shown.rgb])
    if share > _TWINS:
        raise InputError(
            f"{judge_dir} has learned from {share:.0%} of the {shown.split} images: train it with the "
            "colorizers' split_seed, dev_size and test_size."
        )


def judged(judges, method, run_dirs, shown, temperature, folder):
    """Each judge's probabilities for what a method makes of the images.

    They are kept in `folder`, under a name that says all that they depend on; what is there is not redone.

    Args:
        judges: {name: Judge}.
        method: a methods.Method.
        run_dirs: {task: run folder}.
        shown: Images.
        temperature: of the annealed mean.
        folder: Path.

    Returns:
        {name: (N, classes) float32}.
    """
    pictures, results = None, {}
    for name, judge in judges.items():
        used = [judge.run_dir] + ([run_dirs[method.task]] if method.task else [])
        unique = key(used, shown, method.decoding, temperature if method.decoding == "annealed" else None)
        path = folder / f"{method.name.replace(' ', '-')}-{unique}.npz"
        results[name] = _read(path, (len(shown.rgb), len(judge.classes)))
        if results[name] is None:
            if pictures is None:
                pictures = columns.colorize(method, run_dirs, shown.rgb, temperature)
            results[name] = judge.probabilities(pictures)
            with replacing(path) as temporary:
                np.savez(temporary, probabilities=results[name])  # the zip has its own check sums
    return results


def _read(path, shape):
    """The probabilities in a file; None if it is not there, damaged or of another shape."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            values = found["probabilities"]
        return values if values.shape == shape else None
    except Exception:  # what NumPy raises for a damaged file has many names
        return None


def key(used, shown, *rest):
    """A hash of the weights and settings of run folders, of Images, and of whatever else."""
    digest = hashlib.sha256(json.dumps(rest).encode())
    for run_dir in map(Path, used):
        stamps = [(run_dir / name).stat().st_mtime_ns for name in (config.FILE, config.BEST)]
        digest.update(_fingerprint(run_dir, *stamps).encode())
    digest.update(np.ascontiguousarray(shown.rgb))
    return digest.hexdigest()[:16]


@functools.cache
def _fingerprint(run_dir, *stamps):
    """Of a run's model; taken once for each time that it was changed."""
    return runtimes.fingerprint(run_dir)


def evaluate(run_dir):
    """A judge's accuracy on its own dev images, truly colored and gray; also goes into its metrics.json.

    Returns:
        {"images": count, "truth": accuracy, "gray": accuracy}.

    Raises:
        InputError: the run or its data are not usable.
    """
    judge = load(run_dir)
    data = train.load_data(judge.settings)
    rows = train.read_splits(run_dir, data).dev
    rgb, labels = data.test.images[rows], data.test.labels[rows]
    report = {"images": len(rows)}
    for name, pictures in (("truth", rgb), ("gray", columns.gray(rgb))):
        report[name] = float(np.mean(judge.probabilities(pictures).argmax(axis=1) == labels))
    folder.write_metrics(run_dir, {**folder.read_metrics(run_dir), "dev": report})
    return report
