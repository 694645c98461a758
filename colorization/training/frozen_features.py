"""Frozen layers run once. Their outputs are stored on the disk as float16; the other layers train on them."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from colorization.core.atomic_io import refuse_unwritable, replacing, reserve, write_text
from colorization.datasets import data_root
from colorization.runs import checkpoint_io

_CHUNK = 256  # items computed, written and checked together


def cut(model: keras.Model) -> int | None:
    """Find the end of the leading frozen layers of a model that is a chain of layers.

    A dropout ends them, as its output differs in each epoch.

    Args:
        model: a functional keras.Model. The input of each layer is the output of the layer before.

    Returns:
        Index of the first layer after them; None if no layer with weights is before it, or no layer is
        trained.
    """
    weighted = [i for i, layer in enumerate(model.layers) if layer.weights]
    trained = [i for i in weighted if model.layers[i].trainable]
    random = [i for i, layer in enumerate(model.layers) if isinstance(layer, keras.layers.Dropout)]
    place = min(trained[:1] + random, default=0)
    return place if trained and place > weighted[0] else None


def encoder(model: keras.Model, place: int) -> keras.Model:
    """The layers of a model before a cut, shared with the model.

    Call it outside a tf.distribute strategy. Under a strategy predict_on_batch returns each item once for
    each device.

    Args:
        model: the keras.Model.
        place: result of cut.

    Returns:
        keras.Model.
    """
    return keras.Model(model.input, model.layers[place - 1].output, name="encoder")


def head(model: keras.Model, place: int) -> keras.Model:
    """The layers of a model after a cut, shared with the model.

    Args:
        model: the keras.Model.
        place: result of cut.

    Returns:
        keras.Model, whose input is the output of the encoder.
    """
    x = features = keras.Input(model.layers[place - 1].output.shape[1:], name="features")
    for layer in model.layers[place:]:
        x = layer(x)
    return keras.Model(features, x, name=model.name)


def frozen_variables(model: keras.Model) -> list[Any]:
    """The variables of the frozen layers of a model.

    Args:
        model: a keras.Model.

    Returns:
        List of Keras variables.
    """
    return [variable for layer in model.layers if not layer.trainable for variable in layer.weights]


def learned_variables(model: keras.Model) -> list[Any]:
    """The variables of the other layers, with the statistics of batch normalizations.

    Args:
        model: a keras.Model.

    Returns:
        List of Keras variables.
    """
    return [variable for layer in model.layers if layer.trainable for variable in layer.weights]


def refuse_unwritable_place() -> None:
    """Refuse a data folder in which features cannot be written.

    Raises:
        InputError: the folder cannot be written.
    """
    refuse_unwritable(_place())


def _place():
    return data_root() / "features"


def compute(encoder: keras.Model, arrays: Sequence[Any], transform: Callable, batch_size: int) -> np.ndarray:
    """The encoder's output for every item. Outputs that are on the disk already are not computed again.

    They are below features/ in the data folder (datasets.data_root). The name of their folder is a hash of
    the encoder, its weights, the arrays and the transformed first item. Each chunk has a checksum. A missing
    or damaged chunk is computed again.

    Args:
        encoder: keras.Model.
        arrays: tuple of arrays of N rows, one row for each item.
        transform: function of a batch of each array and of flips, (B,) bool, whose first result is the
            encoder's input.
        batch_size: items computed at once.

    Returns:
        (N, ...) float16, mapped from the disk. Values outside the range of float16 are clipped to 65504.

    Raises:
        InputError: the features cannot be written.
    """
    folder = _place() / _key(encoder, arrays, transform)
    path, sums_path = folder / "features.npy", folder / "checksums.json"
    count = len(arrays[0])
    values, sums = _open(path, (count, *encoder.output_shape[1:])), _read_sums(sums_path)
    chunks = [slice(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    missing = [chunk for chunk in chunks if sums.get(str(chunk.start)) != zlib.crc32(values[chunk])]
    known = count - sum(chunk.stop - chunk.start for chunk in missing)
    with tqdm(total=count, initial=known, desc="features", unit=" images", disable=not missing) as bar:
        for chunk in missing:
            for start in range(chunk.start, chunk.stop, batch_size):
                batch = slice(start, min(start + batch_size, chunk.stop))
                values[batch] = _encoded(encoder, [array[batch] for array in arrays], transform)
                bar.update(batch.stop - batch.start)
            values.flush()
            sums[str(chunk.start)] = zlib.crc32(values[chunk])
            write_text(sums_path, json.dumps(sums))
    values.setflags(write=False)
    return values  # not mapped again: another process may have replaced the file


def in_place_of_input(transform: Callable) -> Callable:
    """A transform for batches that start with features.

    Args:
        transform: function of a batch that returns (input, target).

    Returns:
        Function of features and the batch that returns (features, target).
    """
    return lambda features, *batch: (features, *transform(*batch)[1:])


def _encoded(encoder, arrays, transform):
    limit = float(np.finfo("float16").max)
    features = encoder.predict_on_batch(_input(arrays, transform))
    return ops.convert_to_numpy(ops.clip(features, -limit, limit))


def _input(arrays, transform):
    return transform(*arrays, np.zeros(len(arrays[0]), bool))[0]


def _key(encoder, arrays, transform):
    digest = hashlib.sha256(encoder.to_json().encode())
    for name, array in sorted(checkpoint_io.to_arrays(encoder.variables).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array))
    first = ops.convert_to_numpy(_input([array[:1] for array in arrays], transform))
    for array in (first, *arrays):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:24]


def _open(path, shape):
    """The writable array on the disk; a new one if it is missing, damaged or of another shape."""
    try:
        values = np.lib.format.open_memmap(path, "r+")
        if values.shape == shape and values.dtype == "float16":
            return values
    except Exception:  # NumPy raises many exceptions for a damaged header
        pass
    with replacing(path) as temporary:
        values = np.lib.format.open_memmap(temporary, "w+", dtype="float16", shape=shape)
        with temporary.open("rb+") as file:
            reserve(file, os.fstat(file.fileno()).st_size)
    return values


def _read_sums(path):
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}
