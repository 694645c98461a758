"""The columns of Figure 7 of the paper: the methods that color a gray image, between gray and truth."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from colorization.core.config import ColorizerConfig
from colorization.datasets import pipeline
from colorization.inference import graph
from colorization.inference.colorizer import predictor
from colorization.models import tasks
from colorization.runs.folder import RunFolder

BATCH = 64  # images colored at once


class Column(NamedTuple):
    """A column of Figure 7.

    Attributes:
        name: its heading.
        reported: the accuracy in the paper, 0..1; None for a column that the paper does not have.
        colorizer: key of its run; None where nothing is predicted.
        decoding: one of the task's, or None.
        temperature: of the annealed mean; None takes the one that is chosen on the dev images.
    """

    name: str
    reported: float | None
    colorizer: str | None = None
    decoding: str | None = None
    temperature: float | None = None

    def at(self, chosen: float) -> float | None:
        """The temperature of a column's annealed mean.

        Args:
            chosen: temperature that was chosen on the dev images.

        Returns:
            The temperature; None for a column with another decoding.
        """
        if self.decoding != "annealed":
            return None
        return chosen if self.temperature is None else self.temperature


GRAYSCALE = Column("grayscale", 0.22)
ANNEALED = Column("annealed", 0.65, "classification", "annealed")
TRUTH = Column("ground truth", 0.80)
COLUMNS = (
    GRAYSCALE,
    Column("regression", 0.46, "regression", "regression"),
    Column("classification", 0.57, "classification", "mode"),
    ANNEALED,
    Column("transfer", 0.63, "transfer", "mode"),
    TRUTH,
)
"""Figure 7 of the paper, from left to right."""


def extended(temperature: float | None, added: Iterable[Column] = ()) -> tuple[Column, ...]:
    """The columns of Figure 7 with an optional second annealed mean, and with other colorizers.

    Args:
        temperature: of the second annealed mean, behind the other one; None adds no column.
        added: columns before the truth.

    Returns:
        Columns, from left to right.
    """
    shown = [*COLUMNS[:-1], *added, TRUTH]
    if temperature is not None:
        given = ANNEALED._replace(name=f"annealed at T={temperature:g}", temperature=temperature)
        shown.insert(shown.index(ANNEALED) + 1, given)
    return tuple(shown)


def of_report(report: dict[str, Any]) -> tuple[Column, ...]:
    """The columns of a measured Figure 7.

    Args:
        report: content of figure7.json.

    Returns:
        Columns, from left to right.
    """
    added = (Column(name, None, name) for name in report.get("added", ()))
    return extended(report.get("given_temperature"), added)


def colorize(
    column: Column, runs: Mapping[str, RunFolder], rgb: np.ndarray, temperature: float
) -> np.ndarray:
    """Color images by the method of a column.

    Args:
        column: a Column.
        runs: {Column.colorizer: RunFolder}.
        rgb: (N, H, W, 3) uint8; only the lightness is used, except for the truth.
        temperature: of the annealed mean, unless the column has one.

    Returns:
        (N, H, W, 3) uint8.

    Raises:
        InputError: the run is not usable.
    """
    if column is TRUTH:
        return rgb
    if column is GRAYSCALE:
        return gray(rgb)
    run, name = runs[str(column.colorizer)], str(column.decoding)
    decodings = {name: tasks.of(run.expect(ColorizerConfig).config).decodings[name]}
    decoded = predictor(run, decodings, column.at(temperature))
    shown = tqdm(_lightness(rgb), total=-(-len(rgb) // BATCH), desc=f"coloring: {column.name}", leave=False)
    return np.concatenate([graph.compose(batch, decoded.predict_on_batch(batch)[name]) for batch in shown])


def gray(rgb: np.ndarray) -> np.ndarray:
    """Images without their color. The lightness stays.

    Args:
        rgb: (N, H, W, 3) uint8.

    Returns:
        (N, H, W, 3) uint8.
    """
    return np.concatenate([graph.gray(lightness) for lightness in _lightness(rgb)])


def _lightness(rgb: np.ndarray) -> Iterator[np.ndarray]:
    """L, (B, H, W, 1) float32, batch after batch."""
    for start in range(0, len(rgb), BATCH):
        yield pipeline.to_lightness_and_ab(rgb[start : start + BATCH])[0]
