"""Rows of small images as one figure, and figures as files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from colorization.core.atomic_io import replacing
from colorization.core.typing import StrPath


def tile(rows: Sequence[np.ndarray], scale: int = 3, gap: int = 2) -> np.ndarray:
    """One picture of rows of small images.

    Args:
        rows: list of (N, H, W, 3) uint8; shorter rows are filled with white.
        scale: each pixel becomes a square of this side.
        gap: white pixels between images.

    Returns:
        (H', W', 3) uint8.
    """
    longest = max(map(len, rows))
    enlarged = [
        np.pad(
            row.repeat(scale, 1).repeat(scale, 2),
            ((0, longest - len(row)), (0, gap), (0, gap), (0, 0)),
            constant_values=255,
        )
        for row in rows
    ]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in enlarged], axis=0)


def labeled(rows: Iterable[np.ndarray], labels: Iterable[str]) -> Figure:
    """A figure of rows of small images, with a label to the left of each row.

    Args:
        rows: list of (N, H, W, 3) uint8.
        labels: one text for each row.

    Returns:
        A matplotlib Figure.
    """
    rows = list(rows)
    picture = tile(rows)
    height = picture.shape[0] / len(rows)
    figure = Figure(figsize=(1.1 + picture.shape[1] / 110, picture.shape[0] / 110))
    axes = figure.subplots()
    axes.imshow(picture, interpolation="none")
    axes.set_yticks([height * (i + 0.5) for i in range(len(rows))], list(labels))
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def save_figure(figure: Figure, path: StrPath) -> Path:
    """Write a figure. An interrupted call leaves the old file.

    Args:
        figure: a matplotlib Figure.
        path: path of the file; its suffix selects the format.

    Returns:
        Path of the file.

    Raises:
        InputError: the file cannot be written.
    """
    path = Path(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, bbox_inches="tight")
    return path
