"""Names of version 0.1 of run folders and in their files -> names of today."""

from pathlib import Path
from typing import Any

_ROWS = {"grey": "gray", "mean colour": "mean color"}
_METRICS = {"colourfulness": "colorfulness", "delta_colourfulness": "delta_colorfulness"}


def renamed_weights(arrays: dict[str, Any]) -> dict[str, Any]:
    """Weights under the names and in the shapes of today.

    The 1x1 convolution of block 9 was a dense layer: block9_conv in version 0.1, later block9_dense.

    Args:
        arrays: {name: array}.

    Returns:
        {new name: array}.
    """
    renamed = {name.replace("block9_dense", "block9_conv"): array for name, array in arrays.items()}
    return {
        name: array[None, None] if "block9_conv" in name and array.ndim == 2 else array
        for name, array in renamed.items()
    }


def renamed_metrics(metrics: dict[str, dict]) -> dict[str, dict]:
    """The metrics of a colorizer or a judge under the names of today.

    Args:
        metrics: {evaluation: report}.

    Returns:
        {evaluation: report}.
    """
    return {name: _renamed_report(report) for name, report in metrics.items()}


def judge_folder(runs: Path, variant: str) -> Path:
    """The run folder of a variant of the judge.

    Args:
        runs: Path of the folder of all runs.
        variant: name of the variant.

    Returns:
        Path of judge-VARIANT, or of the folder of version 0.1 if only that one exists.
    """
    new = runs / f"judge-{variant}"
    # Version 0.1 wrote vgg-VARIANT and "grey"; experiments/vgg.py still does. To be removed with it.
    old = (runs / f"vgg-{variant}", runs / f"vgg-{variant.replace('gray', 'grey')}")
    return next((path for path in (new, *old) if path.exists()), new)


def _renamed_report(report):
    if "methods" not in report:
        return _renamed(report, _ROWS)
    methods = _renamed(report["methods"], _ROWS)
    return {**report, "methods": {row: _renamed(values, _METRICS) for row, values in methods.items()}}


def _renamed(values, names):
    return {names.get(name, name): value for name, value in values.items()}
