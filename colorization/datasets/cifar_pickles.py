"""Read the published pickles of CIFAR safely.

A pickle is a program. The classes here replace the few NumPy names in a pickled array. So the program can
only build numbers from bytes. NumPy itself is never called with arguments of the pickle.
"""

import io
import pickle
import re

import numpy as np

from colorization.core.errors import InputError

PIXELS = 3 * 32 * 32
AGAIN = "Download the published file again"


def _text(value) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value


class _Dtype:
    """Replaces numpy.dtype, for plain numbers only."""

    def __init__(self, code, *_):
        self.code, self.order = _text(code), "|"

    def __setstate__(self, state):
        self.order = _text(state[1])

    def numpy(self) -> np.dtype:
        code = self.order + self.code
        if not re.fullmatch(r"[<>|=][biuf][1248]", code):
            raise pickle.UnpicklingError(f"an array of type {code}")
        return np.dtype(code)


class _Array:
    """Replaces numpy.ndarray; np.asarray returns its values."""

    values = np.empty(0)

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        self.values = np.frombuffer(raw, dtype.numpy()).reshape(shape, order="F" if fortran else "C")

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.values, dtype=dtype)


def _reconstruct(*_) -> _Array:
    return _Array()


def _frombuffer(raw, dtype, shape, order) -> _Array:
    """Replaces the function of NumPy in newer pickle protocols."""
    array = _Array()
    array.values = np.frombuffer(raw, dtype.numpy()).reshape(shape, order="F" if _text(order) == "F" else "C")
    return array


def _scalar(dtype, raw):
    return np.frombuffer(raw, dtype.numpy())[0]


def _encode(text, codec) -> bytes:
    """Replaces _codecs.encode, which Python 3 writes for bytes in older pickle protocols."""
    if _text(codec) != "latin1":
        raise pickle.UnpicklingError(f"the codec {codec}")
    return text.encode("latin-1")


_ADMITTED = {
    "numpy.dtype": _Dtype,
    "numpy.ndarray": _Array,
    "_codecs.encode": _encode,
    **{
        f"numpy.{core}.multiarray.{name}": stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _reconstruct), ("scalar", _scalar))
    },
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy._core.numeric._frombuffer": _frombuffer,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Accepts plain containers and numeric arrays. Other names are refused before they run."""

    def __init__(self, content: bytes, where: str):
        super().__init__(io.BytesIO(content), encoding="bytes")
        self.where = where

    def find_class(self, module, name):
        dotted = f"{module}.{name}"
        if dotted not in _ADMITTED:
            raise InputError(
                f"{self.where} would call {dotted!r}, which CIFAR files do not need. It was not run. {AGAIN}."
            )
        return _ADMITTED[dotted]

    def persistent_load(self, pid):
        raise InputError(
            f"{self.where} has a persistent id, which CIFAR files do not need. It was refused. {AGAIN}."
        )


def _unpickle(content: bytes, where: str) -> dict:
    try:
        value = _ArrayUnpickler(content, where).load()
    except InputError:
        raise
    except Exception as error:  # other bytes than a pickle can raise nearly any exception
        raise InputError(
            f"{where} cannot be read as a pickle. It is incomplete or damaged. {AGAIN}."
        ) from error
    if not isinstance(value, dict):
        raise InputError(f"{where} must contain a dict, but contains a {type(value).__name__}. {AGAIN}.")
    return value


def _entry(content: dict, key: str, where: str) -> np.ndarray:
    """The entry of a key. Python 2 wrote keys as bytes, and Python 3 may have written them as text."""
    try:
        return np.asarray(content[key.encode()] if key.encode() in content else content[key])
    except KeyError:
        raise InputError(f"{where} does not have the entry {key!r}. {AGAIN}.") from None
    except ValueError as error:
        raise InputError(f"The entry {key!r} of {where} is not an array. {AGAIN}.") from error


def rows(content: bytes, where: str, label_key: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the pixels and labels of a pickled batch.

    Args:
        content: the bytes of the file.
        where: name of the file in error messages.
        label_key: key of the labels.

    Returns:
        Pixels, (N, PIXELS) uint8, and labels, (N,) integers.

    Raises:
        InputError: the file is damaged, or needs more than arrays and plain containers.
    """
    batch = _unpickle(content, where)
    data, labels = _entry(batch, "data", where), _entry(batch, label_key, where)
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS:
        raise InputError(
            f"{where} must contain uint8 rows of {PIXELS} values, but contains {data.dtype} {data.shape}. "
            f"{AGAIN}."
        )
    if labels.ndim != 1 or (labels.dtype.kind not in "iu" and labels.size):
        raise InputError(f"The labels of {where} are not a list of whole numbers. {AGAIN}.")
    if len(labels) != len(data):
        raise InputError(f"{where} contains {len(data)} images, but {len(labels)} labels. {AGAIN}.")
    return data, labels


def names(content: bytes, where: str, key: str) -> list[str]:
    """Read the class names of a pickled meta file.

    Args:
        content: the bytes of the file.
        where: name of the file in error messages.
        key: key of the names.

    Returns:
        The names.

    Raises:
        InputError: the file is damaged, or needs more than arrays and plain containers.
    """
    found = _entry(_unpickle(content, where), key, where)
    if found.ndim != 1 or found.dtype.kind not in "SU":
        raise InputError(f"The entry {key!r} of {where} is not a list of names. {AGAIN}.")
    return [_text(name) for name in found.tolist()]
