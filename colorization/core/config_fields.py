"""The fields of the settings: their defaults, their help and their allowed values."""

import dataclasses
import math
from typing import Any

from colorization.core.errors import InputError


def option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    multiple: int | None = None,
) -> Any:
    """Define a field of a Config.

    Args:
        default: its default value.
        help: a line for --help.
        choices: the allowed texts; None allows any.
        low, high: the least and the greatest allowed number, or None.
        multiple: the number must be a multiple of this one, or None.

    Returns:
        The dataclass field.
    """
    return dataclasses.field(
        default=default,
        metadata={"help": help, "choices": choices, "low": low, "high": high, "multiple": multiple},
    )


def check(field: Any, value: Any) -> None:
    """Check a value of a field.

    Args:
        field: a field made by option.
        value: the value.

    Raises:
        InputError: it has another type or is not allowed.
    """
    rule = field.metadata
    if type(value) is not field.type or (field.type is float and not math.isfinite(value)):
        raise InputError(f"{field.name} must be {_KINDS[field.type]}, received {value!r}.")
    if rule["choices"] and value not in rule["choices"]:
        raise InputError(f"{field.name} must be one of {', '.join(rule['choices'])}, received {value!r}.")
    if rule["low"] is not None and value < rule["low"]:
        raise InputError(f"{field.name} must be at least {rule['low']}, received {value!r}.")
    if rule["high"] is not None and value > rule["high"]:
        raise InputError(f"{field.name} must be at most {rule['high']}, received {value!r}.")
    if rule["multiple"] is not None and value % rule["multiple"]:
        raise InputError(f"{field.name} must be a multiple of {rule['multiple']}, received {value!r}.")


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
