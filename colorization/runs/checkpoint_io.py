"""Weights on disk: HDF5 of plain arrays, matched by name and shape, all or nothing.

Nothing is unpickled or executed: a file holds numbers and names only.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import h5py
import numpy as np

from colorization.core.atomic_io import replacing, reserve
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.runs.old_names import renamed_weights

_OVERHEAD = 4096  # bytes of each array's description, more than HDF5 needs

Arrays: TypeAlias = dict[str, np.ndarray]
"""The values of variables, by name."""


def save(path: StrPath, groups: dict[str, Arrays], attributes: dict[str, Any] | None = None) -> None:
    """Write groups of arrays. An interrupted call leaves the old file.

    Args:
        path: path of the HDF5 file.
        groups: {group: {name: array}}.
        attributes: {name: number or str}, stored on the file.

    Raises:
        InputError: the file cannot be written.
    """
    sizes = [array.nbytes + _OVERHEAD for arrays in groups.values() for array in arrays.values()]
    size = sum(sizes) + _OVERHEAD + len(str(attributes))
    # HDF5 cuts the file to its length at the end
    with replacing(path) as temporary, temporary.open("rb+") as opened, h5py.File(opened, "w") as file:
        reserve(opened, size)
        for group, arrays in groups.items():
            for name, array in arrays.items():
                file[f"{group}/{name}"] = array
        file.attrs.update(attributes or {})


def load(path: StrPath, group: str) -> tuple[Arrays, dict[str, Any]]:
    """Read one group of a file.

    Args:
        path: path of the HDF5 file.
        group: name of the group.

    Returns:
        {name: array} and the attributes of the file.

    Raises:
        InputError: the file is not found or damaged, or does not have the group.
    """
    groups, attributes = load_groups(path, only=group)
    if group not in groups:
        raise InputError(f"{path} is not a complete weights file: it has no group {group!r}.")
    return groups[group], attributes


def load_groups(path: StrPath, only: str | None = None) -> tuple[dict[str, Arrays], dict[str, Any]]:
    """Read the groups of a file.

    Args:
        path: path of the HDF5 file.
        only: name of the only group to read; None reads all.

    Returns:
        {group: {name: array}} and the attributes of the file.

    Raises:
        InputError: the file is not found or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            names = [name for name in file if only in (None, name)]
            return {name: renamed_weights(arrays(file[name])) for name in names}, dict(file.attrs)
    except FileNotFoundError:
        raise InputError(f"{path} is not found.") from None
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise InputError(f"{path} is not a weights file, or is damaged ({error}).") from None


def attributes(path: StrPath) -> dict[str, Any]:
    """Read the attributes of a file.

    Args:
        path: path of the HDF5 file.

    Returns:
        {name: value}.

    Raises:
        InputError: the file is not found or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            return dict(file.attrs)
    except FileNotFoundError:
        raise InputError(f"{path} is not found.") from None
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path} is not a weights file, or is damaged ({error}).") from None


def to_arrays(variables: Sequence[Any]) -> Arrays:
    """The values of Keras variables.

    Args:
        variables: Keras variables.

    Returns:
        {path of a variable: array}.
    """
    return {name: variable.numpy() for name, variable in _by_name(variables).items()}


def assign(variables: Sequence[Any], arrays: Arrays, source: Any) -> None:
    """Set every variable to the array of its name.

    Args:
        variables: Keras variables.
        arrays: {path of a variable: array}; exactly one for each variable, of its shape, with finite values.
        source: origin of the arrays in error messages.

    Raises:
        InputError: a name or a shape does not fit. No variable has changed then.
    """
    table = _by_name(variables)
    # Widened here: TensorFlow's own cast from float16 complains on processors that lack it
    arrays = {
        name: array.astype("float32") if array.dtype == "float16" else array for name, array in arrays.items()
    }
    misfits = [f"{name} is missing" for name in table.keys() - arrays.keys()]
    misfits += [f"{name} does not belong to a layer" for name in arrays.keys() - table.keys()]
    for name in table.keys() & arrays.keys():
        found, wanted = arrays[name].shape, tuple(table[name].shape)
        if found != wanted:
            misfits.append(f"{name} has the shape {found}, but the layer needs {wanted}")
        elif not np.isfinite(arrays[name].astype("float32", copy=False)).all():
            misfits.append(f"{name} contains values that are not finite")
    if misfits:
        shown = "; ".join(sorted(misfits)[:4]) + (
            f"; and {len(misfits) - 4} more" if len(misfits) > 4 else ""
        )
        raise InputError(f"The weights in {source} do not fit the model: {shown}.")
    for name, variable in table.items():
        variable.assign(arrays[name])


def initialize(model: Any, arrays: Arrays, source: Any, partly: bool = False) -> None:
    """Set the initial weights of a Keras model from another run.

    Args:
        model: keras.Model.
        arrays: {path of a variable: array} of the other run.
        source: origin of the arrays in error messages.
        partly: whether to skip the output layer, which belongs to another task.

    Raises:
        InputError: a name or a shape does not fit. No variable has changed then.
    """
    output = [layer.name for layer in model.layers if layer.weights][-1]
    wanted = {variable.path: variable for variable in model.weights}
    if partly:
        wanted, arrays = (_without(names, f"{output}/") for names in (wanted, arrays))
    assign(list(wanted.values()), arrays, source)


def _without(table, prefix):
    return {name: value for name, value in table.items() if not name.startswith(prefix)}


def arrays(group: Any) -> Arrays:
    """Read all arrays of an HDF5 group.

    Args:
        group: an h5py.Group.

    Returns:
        {name: array}.

    Raises:
        TypeError: it is not a group, or contains something other than numbers.
    """
    found = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            if item.dtype.kind not in "fiu":
                raise TypeError(f"{name} does not contain numbers")
            found[name] = item[()]

    if not isinstance(group, h5py.Group):
        raise TypeError(f"{group.name} is not a group")
    group.visititems(collect)
    return found


def _by_name(variables):
    table = {variable.path: variable for variable in variables}
    if len(table) != len(variables):
        raise ValueError("two variables have the same path")
    return table
