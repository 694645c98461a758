"""The pictures of Figures 7 and 8, confusion matrices, and temperature curves."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.figure import Figure

from colorization.core import bins
from vgg_eval import columns

Arrays: TypeAlias = Mapping[str, np.ndarray]

_WRONG, _RIGHT = "#c0261b", "#222222"
_LABEL = 15  # characters in a line of a column's name
_SIDE = 0.82  # inches of a picture
_WITH_WORDS = 1.36  # inches, height of a picture with a caption; it has the width of two pictures


def accuracy_bars(report: dict[str, Any]) -> Figure:
    """Accuracy of each column with its interval, for the judge and the control, beside the paper's values.

    Args:
        report: the content of figure7.json.

    Returns:
        A matplotlib Figure.
    """
    shown = columns.of_report(report)
    figure = Figure(figsize=(1.5 * len(shown), 4.4), layout="constrained")
    axes = figure.subplots()
    names = [column.name for column in shown]
    places = np.arange(len(shown))
    reported = [np.nan if column.reported is None else 100 * column.reported for column in shown]
    axes.bar(places - 0.29, reported, 0.27, color="0.82", label="the judge of the paper")
    for shift, name, color in ((0, "judge", "#2f6db3"), (0.29, "control", "#8a8a8a")):
        results = report["results"][name]
        values = 100 * np.array([results[method]["accuracy"] for method in names])
        low, high = 100 * np.array([results[method]["interval"] for method in names]).T
        label = {"judge": "our judge, trained on color", "control": "the control, trained on gray"}[name]
        axes.bar(
            places + shift,
            values,
            0.27,
            yerr=[values - low, high - values],
            color=color,
            capsize=3,
            label=label,
        )
        for place, value, top in zip(places + shift, values, high, strict=True):
            axes.text(place, top + 0.7, f"{value:.1f}", ha="center", fontsize=8)
    axes.set_xticks(places, [textwrap.fill(name, _LABEL) for name in names])
    axes.set(ylabel="accuracy, %", ylim=(0, 105))
    axes.set_title(f"{report['images']} {report['split']} images of {report['data']}; bars: 95 % intervals")
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def confusion_matrices(report: dict[str, Any]) -> Figure:
    """Confusion matrices of the judge and the control for each column. A row is a true class.

    Args:
        report: the content of figure7.json.

    Returns:
        A matplotlib Figure.
    """
    classes, shown = report["classes"], columns.of_report(report)
    figure = Figure(figsize=(2.8 * len(shown), 6.4), layout="constrained")
    grid = figure.subplots(2, len(shown), sharex=True, sharey=True)
    for row, name in zip(grid, ("judge", "control"), strict=True):
        for axes, method in zip(row, [column.name for column in shown], strict=True):
            matrix = np.array(report["results"][name][method]["confusion"], float)
            shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            drawn = axes.imshow(shares, vmin=0, vmax=100, cmap="Blues")
            for i, j in np.argwhere(shares >= 5):
                axes.text(
                    j,
                    i,
                    f"{shares[i, j]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=6,
                    color="white" if shares[i, j] > 60 else "black",
                )
            axes.set_title(f"{name}: {method}", fontsize=9)
            axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
            axes.set_yticks(range(len(classes)), classes, fontsize=7)
    figure.colorbar(drawn, ax=grid, label="% of the true class (row)", shrink=0.7)
    return figure


def temperature_curves(report: dict[str, Any]) -> Figure:
    """The judge's accuracy, AuC and colorfulness over the temperature, on the dev images.

    Args:
        report: the content of figure7.json.

    Returns:
        A matplotlib Figure.
    """
    rows = report["temperatures"]
    t = [row["temperature"] for row in rows]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    curves = {
        "accuracy of the judge, %": [100 * row["accuracy"] for row in rows],
        "raw AuC, %": [row["auc"] for row in rows],
        "colorfulness": [row["colorfulness"] for row in rows],
    }
    for axes, (label, values) in zip(figure.subplots(1, 3), curves.items(), strict=True):
        axes.plot(t, values, marker=".")
        axes.axvline(
            bins.TEMPERATURE, color="0.5", linestyle=":", label=f"T of the paper = {bins.TEMPERATURE}"
        )
        axes.axvline(
            report["temperature"],
            color="#c0261b",
            linewidth=1,
            label=f"chosen: T = {report['temperature']:g}",
        )
        axes.set(xlabel="temperature (0: mode, 1: mean)", ylabel=label)
        if label.startswith("accuracy"):
            low, high = 100 * np.array([row["interval"] for row in rows]).T
            axes.fill_between(t, low, high, alpha=0.15, label="95 % interval")
        axes.legend(fontsize=8)
    return figure


def picture_grids(
    pictures: Arrays, labels: np.ndarray, classes: Sequence[str], probabilities: Arrays
) -> Figure:
    """Figure 8 of the paper: the grid of results. Below, some of its images with the judge's answers.

    Args:
        pictures: {name of a column: (N, H, W, 3) uint8}.
        labels: (N,) int64, the true classes.
        classes: names of the classes.
        probabilities: {name of a column: (N, classes) float32}.

    Returns:
        A matplotlib Figure.
    """
    count, rows = len(labels), len(pictures)
    figure = Figure(figsize=(1.2 + _SIDE * count, rows * (_SIDE + _WITH_WORDS) + 0.8), layout="constrained")
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=[_SIDE, _WITH_WORDS])[:, 0]
    grid = upper.subplots(rows, count, squeeze=False, gridspec_kw={"wspace": 0.03, "hspace": 0.03})
    for axes_row, (name, images) in zip(grid, pictures.items(), strict=True):
        for axes, image in zip(axes_row, images, strict=True):
            _show(axes, image)
        _label_row(axes_row[0], name)
    for axes, label in zip(grid[0], labels, strict=True):
        axes.set_title(classes[label], fontsize=7)
    _judged(lower, pictures, labels, classes, probabilities, max(1, count // 2))
    upper.suptitle("every method over the same images", fontsize=10)
    lower.suptitle("answers of the judge; wrong answers in red", fontsize=10)
    return figure


def judged_pictures(
    pictures: Arrays, labels: np.ndarray, classes: Sequence[str], probabilities: Arrays
) -> Figure:
    """All pictures with the judge's answers, below the true classes.

    Args:
        pictures: {name of a column: (N, H, W, 3) uint8}.
        labels: (N,) int64, the true classes.
        classes: names of the classes.
        probabilities: {name of a column: (N, classes) float32}.

    Returns:
        A matplotlib Figure.
    """
    count, rows = len(labels), len(pictures)
    figure = Figure(figsize=(1.2 + 2 * _SIDE * count, rows * _WITH_WORDS + 0.4), layout="constrained")
    grid = _judged(figure, pictures, labels, classes, probabilities, count)
    for axes, label in zip(grid[0], labels, strict=True):
        axes.set_title(classes[label], fontsize=9)
    return figure


def _judged(figure, pictures, labels, classes, probabilities, count):
    """Draw the first images in every column of the paper, with the judge's answers; returns the axes."""
    grid = figure.subplots(len(pictures), count, squeeze=False)
    for axes_row, (name, images) in zip(grid, pictures.items(), strict=True):
        for axes, image, truth, values in zip(axes_row, images, labels, probabilities[name], strict=False):
            _show(axes, image)
            chosen = int(values.argmax())
            says = f"{classes[chosen]} ({values[chosen]:.0%})"
            if chosen == truth:
                axes.set_xlabel(says, fontsize=8, color=_RIGHT, labelpad=2)
            else:
                axes.set_xlabel(f"✗ {says}", fontsize=8, color=_WRONG, labelpad=2, weight="bold")
        _label_row(axes_row[0], name)
    return grid


def _show(axes, image):
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _label_row(axes, name):
    axes.set_ylabel(textwrap.fill(name, _LABEL), rotation=0, ha="right", va="center", fontsize=9)
