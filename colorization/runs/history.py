"""The history of a training as CSV: a row per epoch."""

import csv
import io
from pathlib import Path

from colorization.core.atomic_io import write_text
from colorization.core.errors import InputError


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a history, [{name: value}]. Raises InputError if the file is missing or damaged."""
    try:
        with path.open(newline="") as file:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        if not rows or not {"epoch", "loss", "val_loss"} <= rows[0].keys():
            raise ValueError
    except (OSError, ValueError, TypeError, AttributeError):
        raise InputError(f"{path} holds no training history.") from None
    return rows


def best_row(rows: list[dict[str, float]], best_by: str) -> dict[str, float]:
    """The first of the best rows by a dev value: the least loss, or the highest value of another name."""
    name = f"val_{best_by}"
    return min(rows, key=lambda row: row[name] if best_by == "loss" else -row[name])


def write_history(path: Path, rows: list[dict[str, float]]) -> None:
    """Write the rows of a history."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
