"""The history of a training as CSV: a row per epoch."""

import csv
import io
from pathlib import Path

from colorization.core.atomic_io import write_text
from colorization.core.errors import InputError


def read_history(path: Path) -> list[dict[str, float]]:
    """Read the rows of a history.

    Args:
        path: Path of the file.

    Returns:
        [{name: value}], a row for each epoch.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with path.open(newline="") as file:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        is_history = bool(rows) and {"epoch", "loss", "val_loss"} <= rows[0].keys()
    except (OSError, ValueError, TypeError, AttributeError):
        is_history = False
    if not is_history:
        raise InputError(f"{path} is missing, or is not a training history.")
    return rows


def best_row(rows: list[dict[str, float]], best_by: str) -> dict[str, float]:
    """The row of the best epoch. The first one counts among equals.

    Args:
        rows: [{name: value}], at least one row.
        best_by: dev value without the prefix `val_`. "loss" selects the least value; any other name
            selects the highest one.

    Returns:
        {name: value}, one of the rows.
    """
    name = f"val_{best_by}"
    return min(rows, key=lambda row: row[name] if best_by == "loss" else -row[name])


def write_history(path: Path, rows: list[dict[str, float]]) -> None:
    """Write the rows of a history.

    Args:
        path: Path of the file.
        rows: [{name: value}].

    Raises:
        InputError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
