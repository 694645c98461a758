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
        raise InputError(f"{path} is missing, or is not a training history.") from None
    return rows


def write_history(path: Path, rows: list[dict[str, float]]) -> None:
    """Write the rows of a history."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
