"""The temperature of the annealed mean: measured on the dev split, and chosen there alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from colorization.core import bins
from colorization.core.atomic_io import write_text
from colorization.evaluation.measure import measure
from colorization.inference.colorizer import predictor
from colorization.models.tasks import Decoding
from colorization.runs.folder import RunFolder
from vgg_eval import judge, significance
from vgg_eval.columns import BATCH

TEMPERATURES = (0.0, 0.1, 0.2, 0.38, 0.5, 0.6, 0.7, 0.8, bins.TEMPERATURE, 1.0, 1.2)
"""From the mode (0) to the mean (1) and beyond; 0.38 is that of Zhang et al., 0.89 that of the paper."""


def sweep(
    asked: judge.Judge, run: RunFolder, shown: judge.SharedImages, folder: Path
) -> list[dict[str, Any]]:
    """Measure the annealed mean of a classification at every one of TEMPERATURES.

    Args:
        asked: the Judge.
        run: RunFolder of a task with an annealed mean.
        shown: SharedImages of the dev split.
        folder: Path of stored results.

    Returns:
        [{"temperature", "accuracy", "interval", "auc", "colorfulness"}], in the order of TEMPERATURES.
    """
    path = folder / f"temperatures-{judge.key([asked.run, run], shown, TEMPERATURES)}.json"
    if (found := _read(path)) is not None:
        return found
    decodings = {str(t): Decoding(lambda logits, t=t: bins.annealed_mean(logits, t)) for t in TEMPERATURES}
    decoded = predictor(run, decodings, None)  # each decoding has its own
    pictures: dict[str, list[np.ndarray]] = {name: [] for name in decodings}
    measured = measure(
        shown.rgb,
        lambda lightness, ab: decoded.predict_on_batch(lightness),
        run.color_prior(),
        batch_size=BATCH,
        structural=False,
        watch=lambda name, rgb: pictures[name].append(rgb),
        description="every temperature",
    )
    rows = []
    for temperature, name in zip(TEMPERATURES, decodings, strict=True):
        correct = asked.probabilities(np.concatenate(pictures[name])).argmax(axis=1) == shown.labels
        rows.append(
            {
                "temperature": temperature,
                **significance.accuracy(correct),
                "auc": measured[name]["auc"],
                "colorfulness": measured[name]["colorfulness"],
            }
        )
    write_text(path, json.dumps(rows) + "\n")
    return rows


def _read(path: Path) -> list[dict[str, Any]] | None:
    """The rows that sweep wrote; None if they are missing or damaged."""
    try:
        rows = json.loads(path.read_text())
        best(rows)  # raises if a value is missing
        _ = [row["colorfulness"] for row in rows]
        return rows if [row["temperature"] for row in rows] == list(TEMPERATURES) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def best(rows: list[dict[str, Any]]) -> float:
    """Choose the temperature with the highest accuracy of the judge; among equals that with the highest AuC.

    Args:
        rows: result of sweep.

    Returns:
        The temperature.
    """
    return max(rows, key=lambda row: (row["accuracy"], row["auc"]))["temperature"]
