"""Figures 1 and 2 of the paper, a grid of results, and training curves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from colorization.core import bins
from colorization.core.atomic_io import refuse_unwritable
from colorization.core.color_prior import ColorPrior
from colorization.core.config import ColorizerConfig
from colorization.core.errors import InputError
from colorization.core.image_grid import labeled, save_figure
from colorization.core.typing import StrPath
from colorization.datasets import Dataset, pipeline
from colorization.inference import graph
from colorization.inference.colorizer import predictor
from colorization.models import tasks
from colorization.runs.folder import RunFolder
from colorization.runs.history import best_row

_LIGHTNESS = 60  # of the drawn bins: at 60 most of their colors are inside sRGB


def write_all(run_dirs: Sequence[StrPath], folder: StrPath, seed: int = 0) -> list[Path]:
    """Write samples.png, bins.png, grid.png and curves.png for runs on one data set.

    Args:
        run_dirs: run folders; the first one's data, statistics and dev split are shown.
        folder: where the pictures go.
        seed: picks the images shown.

    Returns:
        The four paths.

    Raises:
        InputError: a run or its data is not usable, or the folder cannot be written.
    """
    runs = [RunFolder(run_dir).expect(ColorizerConfig) for run_dir in run_dirs]
    folder = Path(folder)
    refuse_unwritable(folder)
    _refuse_other_data(runs)
    first = runs[0]
    dataset = first.dataset()
    dev = dataset.test.images[first.splits(dataset).dev]
    drawn = {
        "samples": samples(dataset, seed),
        "bins": bins_in_ab(first.color_prior()),
        "grid": grid(runs, _some(dev, 12, seed)),
        "curves": curves(runs),
    }
    return [save_figure(figure, folder / f"{name}.png") for name, figure in drawn.items()]


def samples(data: Dataset, seed: int = 0, columns: int = 10) -> Figure:
    """Figure 1 of the paper: random training images of each class.

    Args:
        data: a Dataset.
        seed: of the random choice.
        columns: number of images of each class.

    Returns:
        A matplotlib Figure.
    """
    rows = [
        _some(data.train.images[data.train.labels == label], columns, seed)
        for label in range(len(data.classes))
    ]
    return labeled(rows, data.classes)


def bins_in_ab(colors: ColorPrior) -> Figure:
    """Figure 2 of the paper: the 313 bins in their colors, and the density of the training set.

    Args:
        colors: the ColorPrior of the training set.

    Returns:
        A matplotlib Figure.
    """
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    rgb = graph.compose(np.full((bins.COUNT, 1), _LIGHTNESS), bins.CENTERS)
    # b runs to the right and a downwards, as in Zhang et al., Figure 3
    a, b = bins.CENTERS.T
    square = {"s": 62, "marker": "s"}
    left.scatter(b, a, c=rgb / 255, **square)
    left.set_title(f"the {bins.COUNT} bins at L = {_LIGHTNESS}, paler outside sRGB")
    density = np.log10(np.maximum(colors.bin_counts, 0.5) / colors.bin_counts.sum())
    density[colors.bin_counts == 0] = np.nan
    right.scatter(b, a, facecolors="none", edgecolors="0.85", linewidths=0.5, **square)
    drawn = right.scatter(b, a, c=density, cmap="viridis", **square)
    right.set_title("density of the training set (hollow: no pixel)")
    figure.colorbar(drawn, ax=right, label="log10 of the share of pixels")
    for axes in (left, right):
        axes.set(xlabel="b", aspect="equal")
    left.set_ylabel("a")
    left.invert_yaxis()
    return figure


def grid(runs: Sequence[RunFolder], rgb: np.ndarray) -> Figure:
    """Gray, every decoding of every run, and the truth, for some images.

    Args:
        runs: RunFolders of colorizers.
        rgb: (N, H, W, 3) uint8.

    Returns:
        A matplotlib Figure with a column for each image.

    Raises:
        InputError: a run is not usable.
    """
    lightness, _ = pipeline.to_lightness_and_ab(rgb)
    rows, labels = [graph.gray(lightness)], ["gray"]
    for run, run_name in zip(runs, _names(runs), strict=True):
        task = tasks.of(run.config)
        decoded = predictor(run, task.decodings, task.temperature(run.config))
        for name, ab in decoded.predict_on_batch(lightness).items():
            rows.append(graph.compose(lightness, ab))
            labels.append(run_name if name == run.config.task else f"{run_name}:\n{name}")
    return labeled([*rows, rgb], [*labels, "truth"])


def curves(runs: Sequence[RunFolder]) -> Figure:
    """Training loss and dev loss of each run over its epochs. Runs of one loss share its axis.

    Args:
        runs: RunFolders.

    Returns:
        A matplotlib Figure.

    Raises:
        InputError: a history is missing or damaged.
    """
    figure = Figure(figsize=(4.8 * len(runs), 3.6), layout="constrained")
    grid = figure.subplots(1, len(runs), squeeze=False)
    firsts: dict[tuple, Axes] = {}
    for axes, run, name in zip(grid[0], runs, _names(runs), strict=True):
        first = firsts.setdefault(_loss(run.config), axes)
        if first is not axes:
            axes.sharey(first)
        history = run.history()
        epochs = [row["epoch"] for row in history]
        for key, label in (("loss", "training"), ("val_loss", "dev")):
            axes.plot(epochs, [row[key] for row in history], marker=".", label=label)
        best = best_row(history, run.config.best_by)
        label = "best" if run.config.best_by == "loss" else f"best {run.config.best_by.replace('_', ' ')}"
        axes.plot(best["epoch"], best["val_loss"], "o", mfc="none", color="k", label=label)
        reduction = {"sum": "summed over an image", "mean": "mean over the pixels"}
        axes.set(xlabel="epoch", ylabel=f"loss, {reduction[run.config.pixel_reduction]}", title=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    return figure


def _loss(config):
    """What the values of the loss depend on; the squared error has no bins."""
    names = ["pixel_reduction", "penalty", "neighbors", "sigma", "rebalance"]
    if getattr(config, "rebalance", False):
        names += ["rebalance_mix", "rebalance_sigma"]
    return tuple(getattr(config, name, None) for name in names)


def _names(runs):
    """The task of each run, or the name of its folder if several runs have the same task."""
    found = [run.config.task for run in runs]
    return [task if found.count(task) == 1 else run.name for run, task in zip(runs, found, strict=True)]


def _refuse_other_data(runs):
    names = ("data", "image_size", "train_size", "dev_size", "test_size", "split_seed")
    for run in runs:
        if any(getattr(run.config, name) != getattr(runs[0].config, name) for name in names):
            raise InputError(
                f"{run} has other data or sizes than {runs[0]}. Draw them with separate commands."
            )


def _some(rgb, count, seed):
    chosen = np.random.default_rng(seed).permutation(len(rgb))[:count]
    return rgb[np.sort(chosen)]
