"""Names in the files of version 0.1 -> names of today."""

from typing import Any

_ROWS = {"grey": "gray", "mean colour": "mean color"}
_METRICS = {"colourfulness": "colorfulness", "delta_colourfulness": "delta_colorfulness"}


def renamed_weights(arrays: dict[str, Any]) -> dict[str, Any]:
    """{name: array} under today's names: the Dense layer of block 9 was called a convolution."""
    return {name.replace("block9_conv", "block9_dense"): array for name, array in arrays.items()}


def renamed_metrics(metrics: dict[str, dict]) -> dict[str, dict]:
    """{evaluation: report} of a colorizer or a judge under today's names."""
    return {name: _renamed_report(report) for name, report in metrics.items()}


def _renamed_report(report):
    if "methods" not in report:
        return _renamed(report, _ROWS)
    methods = _renamed(report["methods"], _ROWS)
    return {**report, "methods": {row: _renamed(values, _METRICS) for row, values in methods.items()}}


def _renamed(values, names):
    return {names.get(name, name): value for name, value in values.items()}
