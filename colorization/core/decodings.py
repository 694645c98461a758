"""The choice of a decoding by name, for models in Keras and in ONNX."""

from collections.abc import Iterable

from colorization.core.errors import InputError


def chosen(names: Iterable[str], name: str | None) -> str:
    """The name of a decoding.

    Args:
        names: of the model's decodings; the first is the default.
        name: the wanted one; None is the default.

    Raises:
        InputError: the model has no such decoding.
    """
    names = list(names)
    if name is not None and name not in names:
        raise InputError(f"This model decodes by {', '.join(names)}, not by {name!r}.")
    return name or names[0]


def refuse_temperature(name: str) -> InputError:
    """The InputError for a temperature that a decoding does not take."""
    return InputError(f"The decoding {name} takes no temperature: leave it out.")
