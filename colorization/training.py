"""Config -> a trained colorizer in a run folder."""

import dataclasses
import hashlib
import json
from pathlib import Path

import keras
import numpy as np

from . import datasets, fitting, images, pipelines, prediction, presets, runs, statistics, tasks
from .errors import InputError
from .files import write_text

_SAMPLES = 8  # images in a sample picture


def train(settings, run_dir, *, resume=False):
    """Train the settings' task, and leave in `run_dir` all that evaluating, colorizing and resuming need.

    Args:
        settings: a colorizer's Config; None takes that of the run to resume.
        run_dir: the run folder; new or empty unless `resume`.
        resume: go on after the last finished epoch, exactly (see fitting.fit); a run without one starts
            from its beginning.

    Returns:
        The Config as trained with ("auto" precision resolved).

    Raises:
        InputError: data, folder or settings are not usable, or the loss is no longer a number.
    """
    run_dir = Path(run_dir)
    settings = fitting.open_run(settings, run_dir, resume, tasks.CONFIGS)
    if finished(settings, run_dir, tasks.CONFIGS):
        return settings
    data, chosen = prepare(settings, run_dir)
    train_rgb, dev_rgb = training_images(settings, data, chosen), data.test.images[chosen.dev]
    path = run_dir / runs.STATISTICS
    known = path.exists()
    colours = statistics.Statistics.load(path) if known else statistics.measure(train_rgb)
    task = tasks.of(settings)
    network = fitting.compiled(
        settings, run_dir, lambda: task.build(settings), task.loss(settings, colours), len(train_rgb)
    )
    begin(settings, run_dir, data, chosen)
    if not known:
        colours.save(path)
    samples = _Samples(settings, network.model, dev_rgb[:_SAMPLES], run_dir / runs.SAMPLES)
    fitting.fit(
        settings, network, run_dir, (train_rgb,), (dev_rgb,), pipelines.to_lightness_and_ab, [samples]
    )
    return settings


def finished(settings, run_dir, configs):
    """fitting.finished; what may change in a run takes effect all the same, such as how to decode.

    Not in a preset or a copy of one, whose checksums tell what its files are.

    Args:
        settings: what fitting.open_run returned.
        run_dir: Path.
        configs: as of fitting.open_run.

    Raises:
        InputError: its weights are damaged, or `settings` name other data than it was trained on.
    """
    if not fitting.finished(settings, run_dir):
        return False
    kept = runs.read_config(run_dir, configs)
    changed = dataclasses.replace(settings, epochs=kept.epochs)
    if changed.data != kept.data:
        read_splits(run_dir, load_data(changed))
    if changed != kept and not (run_dir / presets.CHECKSUMS).exists():
        runs.write_config(run_dir, changed)
    return True


def prepare(settings, run_dir):
    """(Dataset, Splits) to train on: the run folder's own Splits, if it holds a run; nothing is written yet.

    Raises:
        InputError: the data are not usable, or not those that the run began with.
    """
    data = load_data(settings)
    if data.skipped:
        print("Left out:", *data.skipped, sep="\n  ")
    begun = (run_dir / runs.SPLITS).exists()
    return data, read_splits(run_dir, data) if begun else split(settings, data)


def begin(settings, run_dir, data, splits):
    """Write into the run folder what prepare returned, if it is not there; see fitting.begin."""
    fitting.begin(settings, run_dir)
    if not (run_dir / runs.SPLITS).exists():
        write_text(run_dir / runs.DATA, json.dumps(_identity(data), indent=2) + "\n")
        splits.save(run_dir / runs.SPLITS)


def load_data(settings, source=None, side=None):
    """The Dataset of a config, or of another source at the config's sizes, or of another image side."""
    return datasets.load(
        settings.data if source is None else source,
        image_size=settings.image_size if side is None else side,
        train_limit=settings.train_size,
        test_limit=settings.dev_size + settings.test_size,
    )


def training_images(settings, data, splits):
    """(N, side, side, 3) uint8: the training images of a Dataset's Splits, of the side crop_from if any."""
    if settings.crop_from:
        data = load_data(settings, side=settings.crop_from)
    return data.train.images[splits.train]


def split(settings, data):
    """The Splits of a Dataset by a config's sizes and split_seed. Raises InputError if one is empty."""
    splits = datasets.split(
        data,
        settings.train_size,
        settings.dev_size,
        settings.test_size,
        seed=settings.split_seed,
        stratified=settings.stratified,
    )
    counts = {name: len(rows) for name, rows in dataclasses.asdict(splits).items()}
    if not all(counts.values()):
        told = ", ".join(f"{count} to {name}" for name, count in counts.items())
        raise InputError(f"{data.name} has too few images: {told}. Give more, or a larger share for testing.")
    return splits


def read_splits(run_dir, data):
    """The Splits stored in a run folder.

    Raises:
        InputError: the Dataset is not the one that was split, or the file is missing or damaged.
    """
    run_dir = Path(run_dir)
    if runs.read_json(run_dir / runs.DATA) != _identity(data):
        raise InputError(f"{run_dir} was trained on other images than {data.name} now holds: restore them.")
    splits = datasets.Splits.load(run_dir / runs.SPLITS)
    for rows, part in ((splits.train, data.train), (splits.dev, data.test), (splits.test, data.test)):
        if not len(rows) or rows.min() < 0 or rows.max() >= len(part):
            raise InputError(f"{run_dir / runs.SPLITS} does not fit the data: train the run again.")
    return splits


def _identity(data):
    """What tells a Dataset from any other: its classes, its sizes and a hash of all images and labels."""
    digest = hashlib.sha256()
    for part in (data.train, data.test):
        digest.update(np.ascontiguousarray(part.images))
        digest.update(np.ascontiguousarray(part.labels))
    return {
        "name": data.name,
        "classes": list(data.classes),
        "train": len(data.train),
        "test": len(data.test),
        "sha256": digest.hexdigest(),
    }


class _Samples(keras.callbacks.Callback):
    """Every few epochs a picture: columns of dev images; rows of grey, each decoding, truth."""

    def __init__(self, settings, colorizer, rgb, folder):
        super().__init__()
        self.settings, self.colorizer, self.rgb, self.folder = settings, colorizer, rgb, folder

    def on_epoch_end(self, epoch, logs=None):
        number = epoch + 1
        if number % self.settings.samples_every and number != self.settings.epochs:
            return
        decodings = tasks.of(self.settings).decodings
        lightness, _ = pipelines.to_lightness_and_ab(self.rgb, np.zeros(len(self.rgb), bool))
        predictor = prediction.predictor(self.colorizer, decodings, self.settings.temperature)
        ab = predictor.predict_on_batch(lightness)
        rows = {
            "grey": prediction.grey(lightness),
            **{name: prediction.compose(lightness, ab[name]) for name in decodings},
            "truth": self.rgb,
        }
        picture = images.labelled(rows.values(), rows)
        images.save_figure(picture, self.folder / f"epoch_{number:03d}.png")
