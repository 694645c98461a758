"""The choice of a decoding after the training: working size, rebalancing and temperature.

A network trained with the loss weighted by w(q) learns, in the limit, probabilities proportional to
w(q) p(q | x) (w as in Zhang et al., section 2.2). Adding log w(q) to the logits of a network trained without
weights has the same effect. So one training gives every strength: 0 is none, 1 is that of the weights.
"""

import csv
import dataclasses
import io
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from colorization import datasets
from colorization.core import bins, metrics
from colorization.core.atomic_io import refuse_unwritable, write_text
from colorization.core.color_prior import ColorPrior, rebalancing_weights
from colorization.core.errors import InputError
from colorization.core.image_grid import save_figure
from colorization.core.typing import StrPath
from colorization.evaluation.evaluator import refuse_training_images
from colorization.evaluation.measure import measure
from colorization.inference import graph
from colorization.inference.colorizer import load_model
from colorization.models import tasks
from colorization.runs import resolve
from colorization.runs.copying import copy_run
from colorization.runs.folder import RunFolder

WITHIN = 0.15  # of the truth's colorfulness
STRENGTHS = (0, 0.25, 0.5, 0.75, 1)
TEMPERATURES = (0.1, 0.2, 0.38, 0.6, 0.89)

_MIX = 0.5  # lambda of the weights with a strength of 1 (Zhang et al., Eq. 4)
_BATCH = 2**16  # pixels decoded at once; each has 313 logits
_BIAS = "block9_conv/bias"  # of the layer that gives the logits


class Tuning(NamedTuple):
    """The result of `tune`.

    Attributes:
        rows: [{"size", "strength", "temperature", metrics}], one for each combination.
        chosen: the best of the rows, see `choose`.
        truth: colorfulness of the dev images.
        images: number of the dev images.
        folder: Path of tune.csv and tune.png.
    """

    rows: list
    chosen: dict
    truth: float
    images: int
    folder: Path


def tune(
    run_dir: StrPath,
    *,
    photographs: Sequence[StrPath] | None = None,
    sizes: Sequence[int] | None = None,
    strengths: Sequence[float] | None = None,
    temperatures: Sequence[float] | None = None,
    images: int = 500,
    output: StrPath | None = None,
    target: StrPath | None = None,
) -> Tuning:
    """Measure every combination on dev images, choose one, and write tune.csv and tune.png.

    Args:
        run_dir: path of the run folder of a classification.
        photographs: folders of photographs; None is the run's own data.
        sizes: working sizes, in pixels; None is the size of the training images.
        strengths: of the rebalancing; None is STRENGTHS.
        temperatures: of the annealed mean; None is TEMPERATURES.
        images: maximum number of dev images.
        output: folder of the table and the picture; None is a folder in the run folder.
        target: path of a new run with the chosen settings, see apply; None makes no run.

    Returns:
        Tuning.

    Raises:
        InputError: the run has no temperature, was trained on the dev images, or has a fixed size; or a file
            cannot be written.
    """
    run = RunFolder(run_dir)
    model = load_model(run)
    _check(run, model, photographs, sizes, images, output, target)
    sizes = sizes or [run.config.image_size]
    rgb = _dev_images(run, photographs, max(sizes))[:images]
    strengths, temperatures = strengths or STRENGTHS, temperatures or TEMPERATURES
    rows, truth = measure_all(model, run.color_prior(), rgb, sizes, strengths, temperatures)
    folder = Path(output) if output else run.tuning_path
    write_text(folder / "tune.csv", _csv(rows))
    save_figure(picture(rows, truth), folder / "tune.png")
    chosen = choose(rows, truth)
    if target:
        working_size = None if graph.fixed_size(model) else chosen["size"]
        apply(run, target, chosen["strength"], chosen["temperature"], working_size)
    return Tuning(rows, chosen, truth, len(rgb), folder)


def measure_all(
    model: keras.Model,
    prior: ColorPrior,
    rgb: np.ndarray,
    sizes: Sequence[int],
    strengths: Sequence[float],
    temperatures: Sequence[float],
) -> tuple[list[dict], float]:
    """Measure every combination of size, strength and temperature.

    Args:
        model: a classification's Keras model.
        prior: ColorPrior of its training set.
        rgb: (N, H, W, 3) uint8.
        sizes, strengths, temperatures: numbers.

    Returns:
        ([{"size", "strength", "temperature", metrics}], colorfulness of the truth).
    """
    shift, rows = _log_weights(prior), []
    combinations = list(itertools.product(strengths, temperatures))
    for size in sizes:
        found = measure(
            rgb,
            _predictor(model, size, shift, combinations),
            prior,
            batch_size=max(1, _BATCH // rgb[0, ..., 0].size),
            structural=False,
            description=f"at {size} pixels",
        )
        for (strength, temperature), values in zip(combinations, found.values(), strict=True):
            rows.append({"size": size, "strength": strength, "temperature": temperature, **values})
    return rows, float(np.mean(metrics.colorfulness(rgb)))


def choose(rows: Sequence[dict], truth: float) -> dict:
    """Choose the row with the highest AuC among those that are about as colorful as the truth.

    Args:
        rows: rows of measure_all.
        truth: colorfulness of the true images.

    Returns:
        A row. If no row is about as colorful, it is the nearest one.
    """
    near = [row for row in rows if abs(row["colorfulness"] - truth) <= WITHIN * truth]
    if near:
        return max(near, key=lambda row: row["auc"])
    return min(rows, key=lambda row: abs(row["colorfulness"] - truth))


def apply(
    run: RunFolder, target: StrPath, strength: float, temperature: float, working_size: int | None = None
) -> None:
    """Make a run with other settings of the decoding. An interrupted call leaves no run.

    The rebalancing is added to the bias of the last layer. Temperature and working size are settings.

    Args:
        run: the RunFolder.
        target: path of the new run.
        strength: of the rebalancing, in addition to that of the run.
        temperature: of the annealed mean.
        working_size: in pixels; None keeps that of the run.
    """
    target = Path(target)
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    size = {} if working_size is None else {"working_size": working_size}
    config = dataclasses.replace(run.config, temperature=float(temperature), **size)
    shift = strength * _log_weights(run.color_prior())

    def shifted(arrays):
        return arrays | {_BIAS: arrays[_BIAS] + shift} if _BIAS in arrays else arrays

    new = copy_run(run, unfinished, config, shifted)
    new.write_tuned({"strength": run.tuned().get("strength", 0.0) + strength})
    unfinished.rename(target)


def picture(rows: Sequence[dict], truth: float) -> Figure:
    """Raw AuC over colorfulness, with a line for each working size and strength.

    Args:
        rows: rows of measure_all.
        truth: colorfulness of the true images.

    Returns:
        A matplotlib Figure.
    """
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    sizes = sorted({row["size"] for row in rows})
    strengths = sorted({row["strength"] for row in rows})
    for size, marker in zip(sizes, itertools.cycle("osD^v"), strict=False):
        for i, strength in enumerate(strengths):
            line = [row for row in rows if (row["size"], row["strength"]) == (size, strength)]
            axes.plot(
                [row["colorfulness"] for row in line],
                [row["auc"] for row in line],
                marker=marker,
                markersize=4,
                linewidth=0.8,
                color=f"C{i}",
                label=f"{size} px, strength {strength:g}",
            )
    axes.axvspan((1 - WITHIN) * truth, (1 + WITHIN) * truth, color="0.9", label="truth, within 15 %")
    axes.set(xlabel="colorfulness", ylabel="raw AuC, %", title="a point for each temperature")
    axes.legend(fontsize=6, ncols=2)
    return figure


def _check(run, model, photographs, sizes, images, output, target):
    """Refuse wrong arguments before the images are read. Raises InputError."""
    _, decode = tasks.decoding(tasks.of(run.config))
    if not decode.takes_temperature:
        raise InputError(
            f"{run} is a {run.config.task}, which has no temperature. Only classifications can be tuned."
        )
    if sizes and graph.fixed_size(model):
        raise InputError(f"{run} has a fixed input size. Leave out --sizes.")
    if not images:
        raise InputError("--images must be at least 1.")
    if sizes and max(sizes) > run.config.image_size and not photographs:
        raise InputError(
            f"The images of {run} have {run.config.image_size} pixels. Name larger images with --data."
        )
    if resolve.is_shipped(run) and not output:
        raise InputError(
            f"{run} is a preset, which cannot be changed. Name a directory for the results with -o."
        )
    if target and Path(target).exists():
        raise InputError(f"{target} already exists. Choose another folder.")
    for folder in (output or run.tuning_path, *([target] if target else [])):
        refuse_unwritable(folder)


def _dev_images(run, photographs, side):
    """(N, H, W, 3) uint8: the run's own dev images, or the held-out images of folders."""
    if not photographs:
        return run.images("dev")[0].images
    if not resolve.is_shipped(run) and not _held_out_by_name(run):
        refuse_training_images(run, lambda side: _held_out(run, photographs, side))
    return _held_out(run, photographs, side)


def _held_out_by_name(run):
    """Whether the training data are absent photographs. Only their names decide which ones are held out."""
    photographs = tuple(run.classes()) == datasets.photographs.CLASSES
    return photographs and run.source() is None


def _held_out(run, photographs, side):
    """(N, side, side, 3) uint8: the dev images of folders of photographs, chosen by their names."""
    data = datasets.load(datasets.photographs.prepare(photographs, side), image_size=side)
    return data.test.images[datasets.split(data, seed=run.config.split_seed).dev]


def _predictor(model, size, shift, combinations):
    """The function for `measure` that decodes the logits of a working size by (strength, temperature)."""

    def decode(logits, _):
        decoded = [bins.annealed_mean(logits + strength * shift, t) for strength, t in combinations]
        return ops.concatenate(decoded, axis=-1)

    def predict(lightness, _):
        shape = graph.working_shape(model, *lightness.shape[1:3], size)
        found = ops.convert_to_numpy(graph.ab_at(model, decode, lightness, None, shape))
        return {str(i): ab for i, ab in enumerate(np.split(found, len(combinations), axis=-1))}

    return predict


def _log_weights(prior):
    """(313,) float32: the change of the logits for a strength of 1."""
    return np.log(rebalancing_weights(prior.bin_counts, _MIX))


def _csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
