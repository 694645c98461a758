"""The choice of a decoding by name, for models in Keras and in ONNX."""

from collections.abc import Iterable

from colorization.core.errors import InputError


def chosen(names: Iterable[str], name: str | None) -> str:
    """Choose a decoding by name.

    Args:
        names: names of the model's decodings; the first is the default.
        name: the wanted name; None is the default.

    Returns:
        The name.

    Raises:
        InputError: the model has no such decoding.
    """
    names = list(names)
    if name is not None and name not in names:
        raise InputError(f"Unknown decoding {name!r}. The decodings of this model are: {', '.join(names)}.")
    return name or names[0]


def refuse_temperature(name: str) -> InputError:
    """The exception for a temperature that a decoding does not use.

    Args:
        name: name of the decoding.

    Returns:
        InputError.
    """
    return InputError(f"The decoding {name} does not use a temperature. Leave out the temperature.")
