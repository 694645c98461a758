"""A network as a .keras file that Keras 3.4 and later load, without this package."""

import inspect
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from colorization.core.atomic_io import replacing
from colorization.models.transfer import GrayRGB

OLDEST_KERAS = "3.4"
"""The oldest version of Keras that loads these files."""

_CONFIG = "config.json"  # the layers, in a .keras file
_FOR_TRAINING = ("_initializer", "_regularizer", "_constraint")  # the ends of their names
_NEW = {
    "renorm_momentum"
}  # options of newer versions that are not used here, with other defaults than None and False


def save(model: keras.Model, path: Path) -> None:
    """Write a network as a .keras file. An interrupted call leaves no file.

    Initializers, regularizers, constraints and options that are off are left out, because older versions of
    Keras refuse unknown ones, and inference does not need them.

    Args:
        model: a keras.Model. The input of each layer is the output of the layer before.
        path: Path of the new file.

    Raises:
        InputError: the file cannot be written.
    """
    model = _of_keras_alone(model)
    with replacing(path) as temporary:
        model.save(temporary)
        _rewrite(temporary, model)


def _of_keras_alone(model):
    """The same network, with the layer of this package replaced by its operations."""
    x = model.input
    for layer in model.layers[1:]:
        x = layer.call(x) if isinstance(layer, GrayRGB) else layer(x)
    return keras.Model(model.input, x, name=model.name)


def _rewrite(path, model):
    """Simplify the layers of a .keras file, and overwrite it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[_CONFIG] = json.dumps(_simplified(json.loads(members[_CONFIG]), model)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _simplified(config, model):
    """The config of a functional model without options that older versions of Keras do not know."""
    operations = {operation.name: operation for operation in model.operations}
    for entry in config["config"]["layers"]:
        operation = operations[entry["name"]]
        entry["config"] = _options(_plain(entry["config"]), operation)
    return config


def _options(config: Mapping[str, Any], operation: keras.Operation) -> dict[str, Any]:
    """The options of a layer or an operation that inference needs and all versions know."""
    parameters = inspect.signature(type(operation)).parameters
    kept = {}
    for name, value in config.items():
        unused = (
            name in parameters and (value is None or value is False) and parameters[name].default is value
        )
        # Older operations do not accept a name; the file also has it outside the options
        nameless = name == "name" and not isinstance(operation, keras.layers.Layer)
        if not (unused or nameless or name in _NEW or name.endswith(_FOR_TRAINING)):
            kept[name] = value
    return kept


def _plain(config):
    """The options of a layer with names of data types instead of objects."""
    return {
        name: value["config"]["name"]
        if isinstance(value, dict) and value["class_name"] == "DTypePolicy"
        else value
        for name, value in config.items()
    }
