"""Figures 7 and 8 of the paper: the judge's results for every column, with their uncertainty."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from colorization.core.atomic_io import write_text
from colorization.core.errors import InputError
from colorization.core.image_grid import save_figure
from colorization.core.typing import StrPath
from colorization.models import tasks
from colorization.runs.environment import environment
from colorization.runs.folder import RunFolder
from vgg_eval import columns, figure7_table, figures, judge, model, significance, temperatures
from vgg_eval.columns import ANNEALED, GRAYSCALE, TRUTH
from vgg_eval.options import ROLES


class Runs(NamedTuple):
    """The runs of an experiment.

    Attributes:
        colorizers: {task or name of an added column: RunFolder}.
        judge: RunFolder of the judge that is trained on color images.
        control: RunFolder of the judge that is trained on gray images.
    """

    colorizers: dict[str, RunFolder]
    judge: RunFolder
    control: RunFolder

    def roles(self) -> dict[str, RunFolder]:
        """{role: RunFolder} of all."""
        return {"judge": self.judge, "control": self.control, **self.colorizers}


def figure7(used: Runs, folder: StrPath, split: str = "test", *, temperature: float | None = None) -> str:
    """Judge every column; write figure7.md, .csv, .json and .png, confusion.png and temperature.png.

    Existing parts of the same runs and images in `folder` are not computed again.

    Args:
        used: Runs.
        folder: directory of the results.
        split: "test" or "dev"; the temperature comes from dev in either case.
        temperature: of a second column of the annealed mean; None adds none.

    Returns:
        figure7.md as text.

    Raises:
        InputError: a run is not usable, or the runs do not belong together.
    """
    folder = Path(folder)
    report = _report(used, folder / "parts", split, temperature)
    text = figure7_table.markdown(report)
    write_text(folder / "figure7.json", json.dumps(report, indent=2) + "\n")
    write_text(folder / "figure7.csv", figure7_table.csv_text(report))
    write_text(folder / "figure7.md", text)
    for name, draw in (
        ("figure7", figures.accuracy_bars),
        ("confusion", figures.confusion_matrices),
        ("temperature", figures.temperature_curves),
    ):
        save_figure(draw(report), folder / f"{name}.png")
    return text


def _report(used: Runs, parts: Path, split: str, given: float | None) -> dict[str, Any]:
    """The content of figure7.json."""
    judges = {"judge": judge.load(used.judge.path), "control": judge.load(used.control.path)}
    shown = shared_images(used, split)
    swept = swept_temperatures(used, judges["judge"], parts)
    temperature = temperatures.best(swept)
    added = _added_columns(used, judges["judge"], parts)
    opinions = {
        column.name: judge.judged(judges, column, used.colorizers, shown, temperature, parts)
        for column in columns.extended(given, added)
    }
    results = {
        role: compare({name: values[role] for name, values in opinions.items()}, shown.labels)
        for role in judges
    }
    return {
        "data": shown.name,
        "split": split,
        "images": len(shown.rgb),
        "classes": judges["judge"].classes,
        "temperature": temperature,
        "given_temperature": given,
        "added": {column.name: column.temperature for column in added},
        "temperatures": swept,
        "judge": model.describe(used.judge.config),
        "control": model.describe(used.control.config),
        "results": results,
        "runs": {role: figure7_table.provenance(run) for role, run in used.roles().items()},
        "device": environment(),
    }


def figure8(
    used: Runs,
    folder: StrPath,
    split: str = "test",
    *,
    rows: Sequence[int] | None = None,
    columns: int = 12,
    seed: int = 0,
    temperature: float | None = None,
) -> Path:
    """Write figure8.png: Figure 8 of the paper.

    Args:
        used: Runs.
        folder: directory of the result; the measured temperatures are found or left there.
        split: "test" or "dev".
        rows: positions of images in the split; None draws `columns` of them by `seed`.
        columns: number of images that are drawn.
        seed: of the draw.
        temperature: of the annealed mean; None searches the best one on the dev images.

    Returns:
        Path of the figure.

    Raises:
        InputError: a run is not usable, the runs do not belong together, or there is no such image.
    """
    shown, folder = shared_images(used, split), Path(folder)
    count = len(shown.labels)
    chosen = np.sort(np.random.default_rng(seed).permutation(count)[:columns]) if rows is None else rows
    if not len(chosen) or min(chosen) < 0 or max(chosen) >= count:
        raise InputError(f"The {split} split has the images 0 to {count - 1}. Name one or more of them.")
    asked = judge.load(used.judge.path)
    temperature = _temperature(used, asked, folder / "parts", temperature)
    added = _added_columns(used, asked, folder / "parts")
    drawn = _drawn(figures.picture_grids, used, asked, shown, chosen, temperature, added)
    return save_figure(drawn, folder / "figure8.png")


def failures(
    used: Runs,
    folder: StrPath,
    split: str = "test",
    *,
    count: int = 5,
    temperature: float | None = None,
) -> Path:
    """Write failures.png: the images whose colors mislead the judge most.

    The rule: the probability of the true class falls the most from the gray picture to the annealed mean.

    Args:
        used: Runs.
        folder: directory of the result; existing parts of figure7 are not computed again.
        split: "test" or "dev".
        count: number of images.
        temperature: of the annealed mean; None searches the best one on the dev images.

    Returns:
        Path of the figure.

    Raises:
        InputError: a run is not usable, or the runs do not belong together.
    """
    shown = shared_images(used, split)
    folder, asked = Path(folder), judge.load(used.judge.path)
    parts = folder / "parts"
    temperature = _temperature(used, asked, parts, temperature)
    gray, colored = (
        judge.judged({"judge": asked}, column, used.colorizers, shown, temperature, parts)["judge"]
        for column in (GRAYSCALE, ANNEALED)
    )
    fall = (gray - colored)[np.arange(len(shown.labels)), shown.labels]
    rows = np.argsort(-fall, kind="stable")[:count]
    added = _added_columns(used, asked, parts)
    drawn = _drawn(figures.judged_pictures, used, asked, shown, rows, temperature, added)
    return save_figure(drawn, folder / "failures.png")


def _drawn(
    draw: Callable,
    used: Runs,
    asked: judge.Judge,
    shown: judge.SharedImages,
    rows: Any,
    temperature: float,
    added: Sequence[columns.Column],
) -> Any:
    """A Figure of some images in every column with the judge's opinion, drawn by a function of `figures`."""
    rgb, labels = shown.rgb[rows], shown.labels[rows]
    pictures = {
        column.name: columns.colorize(column, used.colorizers, rgb, temperature)
        for column in columns.extended(None, added)
    }
    opinions = {name: asked.probabilities(picture) for name, picture in pictures.items()}
    return draw(pictures, labels, asked.classes, opinions)


def shared_images(used: Runs, split: str) -> judge.SharedImages:
    """The images of a split that the colorizers share. Both judges were trained on other images.

    Args:
        used: Runs.
        split: "dev" or "test".

    Returns:
        SharedImages.

    Raises:
        InputError: the runs do not belong together.
    """
    return judge.unseen_images(list(used.colorizers.values()), [used.judge, used.control], split)


def swept_temperatures(
    used: Runs, asked: judge.Judge, folder: Path, colorizer: str = "classification"
) -> list[dict[str, Any]]:
    """Measure all temperatures of a classification on the dev images.

    Args:
        used: Runs.
        asked: the Judge.
        folder: Path of stored results.
        colorizer: its key in used.colorizers.

    Returns:
        The result of temperatures.sweep.

    Raises:
        InputError: a run is not usable, or the runs do not belong together.
    """
    return temperatures.sweep(asked, used.colorizers[colorizer], shared_images(used, "dev"), folder)


def _added_columns(used: Runs, asked: judge.Judge, parts: Path) -> list[columns.Column]:
    """The columns that the paper does not have, each annealed mean at its own best temperature."""
    added = []
    for name, run in used.colorizers.items():
        if name in ROLES:
            continue
        decoding = next(iter(tasks.of(run.config).decodings))
        column = columns.Column(name, None, name, decoding)
        if decoding == ANNEALED.decoding:
            swept = swept_temperatures(used, asked, parts, name)
            column = column._replace(temperature=temperatures.best(swept))
        added.append(column)
    return added


def _temperature(used: Runs, asked: judge.Judge, parts: Path, given: float | None) -> float:
    """The given temperature, or else the best one on the dev images."""
    return temperatures.best(swept_temperatures(used, asked, parts)) if given is None else given


def compare(probabilities: dict[str, np.ndarray], labels: np.ndarray) -> dict[str, dict[str, Any]]:
    """All numbers of a judge's table.

    Args:
        probabilities: {column's name: (N, classes) float32}, from grayscale to ground truth.
        labels: (N,) int64.

    Returns:
        {column's name: {"accuracy", "interval", "confidence" (mean, in the true class), "p_grayscale" and
        "p_before" (McNemar's, against grayscale and the column before; None for the first), "gap_closed",
        "gap_interval", "per_class", "confusion"}}.
    """
    classes = next(iter(probabilities.values())).shape[1]
    chosen = {name: values.argmax(axis=1) for name, values in probabilities.items()}
    correct = {name: values == labels for name, values in chosen.items()}
    gray, truth, before = correct[GRAYSCALE.name], correct[TRUTH.name], None
    results: dict[str, dict[str, Any]] = {}
    for name, values in probabilities.items():
        matrix = significance.confusion(labels, chosen[name], classes)
        results[name] = {
            **significance.accuracy(correct[name]),
            "confidence": float(values[np.arange(len(labels)), labels].mean()),
            "p_grayscale": None if before is None else significance.mcnemar(correct[name], gray),
            "p_before": None if before is None else significance.mcnemar(correct[name], correct[before]),
            **significance.gap_closed(correct[name], gray, truth),
            "per_class": (matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)).tolist(),
            "confusion": matrix.tolist(),
        }
        before = name
    return results
