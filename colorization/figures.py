"""The report's pictures, and those that show how a training went."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from . import bins, pipelines, prediction, runs, statistics, tasks, training
from .errors import InputError
from .images import labelled, save_figure

_LIGHTNESS = 60  # of the bins as drawn: most of their colours can be shown at it


def write_all(run_dirs, folder, seed=0):
    """Write samples.png, bins.png, grid.png and curves.png for runs on one data set.

    Args:
        run_dirs: run folders; the first one's data, statistics and dev split are shown.
        folder: where the pictures go.
        seed: picks the images shown.

    Returns:
        The four paths.

    Raises:
        InputError: a run or its data is not usable.
    """
    run_dirs, folder = [Path(run_dir) for run_dir in run_dirs], Path(folder)
    settings = runs.read_config(run_dirs[0])
    _refuse_other_data(run_dirs, settings)
    data = training.load_data(settings)
    dev = data.test.images[training.read_splits(run_dirs[0], data).dev]
    drawn = {
        "samples": samples(data, seed),
        "bins": bins_in_ab(statistics.Statistics.load(run_dirs[0] / runs.STATISTICS)),
        "grid": grid(run_dirs, _some(dev, 12, seed)),
        "curves": curves(run_dirs),
    }
    return [save_figure(figure, folder / f"{name}.png") for name, figure in drawn.items()]


def samples(data, seed=0, columns=10):
    """Figure 1: each class of a Dataset with some random training images."""
    rows = [
        _some(data.train.images[data.train.labels == label], columns, seed)
        for label in range(len(data.classes))
    ]
    return labelled(rows, data.classes)


def bins_in_ab(colours):
    """Figure 2: the 313 bins in their colours, and the training set's density over them."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    rgb = prediction.compose(np.full((bins.COUNT, 1), _LIGHTNESS), bins.CENTERS)
    # b runs to the right and a downwards, as in Zhang et al., Figure 3
    a, b = bins.CENTERS.T
    square = {"s": 62, "marker": "s"}
    left.scatter(b, a, c=rgb / 255, **square)
    left.set_title(f"the {bins.COUNT} bins at L = {_LIGHTNESS}, paled where sRGB ends")
    density = np.log10(np.maximum(colours.bin_counts, 0.5) / colours.bin_counts.sum())
    density[colours.bin_counts == 0] = np.nan
    right.scatter(b, a, facecolors="none", edgecolors="0.85", linewidths=0.5, **square)
    drawn = right.scatter(b, a, c=density, cmap="viridis", **square)
    right.set_title("density of the training set (hollow: no pixel)")
    figure.colorbar(drawn, ax=right, label="log10 of the share of pixels")
    for axes in (left, right):
        axes.set(xlabel="b", aspect="equal")
    left.set_ylabel("a")
    left.invert_yaxis()
    return figure


def grid(run_dirs, rgb):
    """Grey, every run's every decoding, and the truth, over columns of (N, H, W, 3) uint8 images."""
    lightness, _ = pipelines.to_lightness_and_ab(rgb, np.zeros(len(rgb), bool))
    rows, labels = [prediction.grey(lightness)], ["grey"]
    for run_dir, run_name in _named(run_dirs).items():
        settings, model = runs.load_model(run_dir)
        predictor = prediction.predictor(model, tasks.of(settings).decodings, settings.temperature)
        for name, ab in predictor.predict_on_batch(lightness).items():
            rows.append(prediction.compose(lightness, ab))
            labels.append(run_name if name == settings.task else f"{run_name}:\n{name}")
    return labelled([*rows, rgb], [*labels, "truth"])


def curves(run_dirs):
    """Training and dev loss of each run over its epochs."""
    figure = Figure(figsize=(4.8 * len(run_dirs), 3.6), layout="constrained")
    grid = figure.subplots(1, len(run_dirs), squeeze=False)
    for axes, (run_dir, name) in zip(grid[0], _named(run_dirs).items(), strict=True):
        history = _history(run_dir)
        for key, label in (("loss", "training"), ("val_loss", "dev")):
            axes.plot(history["epoch"], history[key], marker=".", label=label)
        best = int(np.argmin(history["val_loss"]))
        axes.plot(history["epoch"][best], history["val_loss"][best], "o", mfc="none", color="k", label="best")
        axes.set(xlabel="epoch", ylabel="loss, summed over an image", title=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    return figure


def _named(run_dirs):
    """{run folder: its task, or the folder's name where several have one task}."""
    named = {Path(run_dir): runs.read_config(run_dir).task for run_dir in run_dirs}
    tasks_of_runs = list(named.values())
    return {path: task if tasks_of_runs.count(task) == 1 else path.name for path, task in named.items()}


def _refuse_other_data(run_dirs, settings):
    names = ("data", "image_size", "train_size", "dev_size", "test_size", "split_seed")
    for run_dir in run_dirs:
        other = runs.read_config(run_dir)
        if any(getattr(other, name) != getattr(settings, name) for name in names):
            raise InputError(
                f"{run_dir} was trained on other data or sizes than {run_dirs[0]}: draw them apart."
            )


def _history(run_dir):
    path = run_dir / runs.HISTORY
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return {key: [float(row[key]) for row in rows] for key in ("epoch", "loss", "val_loss")}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} holds no training history.") from None


def _some(rgb, count, seed):
    chosen = np.random.default_rng(seed).permutation(len(rgb))[:count]
    return rgb[np.sort(chosen)]
