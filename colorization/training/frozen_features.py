"""Frozen layers run once: their outputs, kept on disk as float16, are what the other layers train on."""

import hashlib
import json
import os
import zlib

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from colorization.core.atomic_io import refuse_unwritable, replacing, reserve, write_text
from colorization.datasets import data_root
from colorization.runs import checkpoint_io

_CHUNK = 256  # items computed, written and checked together


def cut(model):
    """Where a model that is a chain of layers is cut: behind its leading frozen layers.

    Args:
        model: a functional keras.Model, each layer fed by the one before.

    Returns:
        The index of the first layer that is trained; None if no weights come before it, or none are trained.
    """
    weighted = [i for i, layer in enumerate(model.layers) if layer.weights]
    trained = [i for i in weighted if model.layers[i].trainable]
    return trained[0] if trained and trained[0] != weighted[0] else None


def encoder(model, place):
    """A keras.Model of the layers before a cut, shared with the model.

    To be made outside of a tf.distribute strategy, under which predict_on_batch would give each item once for
    each device.
    """
    return keras.Model(model.input, model.layers[place - 1].output, name="encoder")


def head(model, place):
    """A keras.Model, from features, of the layers from a cut on, shared with the model."""
    x = features = keras.Input(model.layers[place - 1].output.shape[1:], name="features")
    for layer in model.layers[place:]:
        x = layer(x)
    return keras.Model(features, x, name=model.name)


def frozen_variables(model):
    """Those variables of a model that belong to frozen layers."""
    return [variable for layer in model.layers if not layer.trainable for variable in layer.weights]


def learned_variables(model):
    """All others, statistics of batch normalizations included."""
    return [variable for layer in model.layers if layer.trainable for variable in layer.weights]


def refuse_unwritable_place() -> None:
    """Raise InputError if features cannot be written into the data folder."""
    refuse_unwritable(_place())


def _place():
    return data_root() / "features"


def compute(encoder, arrays, transform, batch_size):
    """The encoder's output for every item, computed where it is not yet on disk.

    It lies under features/ in the data folder (datasets.data_root), in a folder named by a hash of the
    encoder, its weights, the arrays and what the transform makes of the first item. Each chunk has its
    checksum: one that is missing or damaged, also after a kill, is computed again.

    Args:
        encoder: keras.Model.
        arrays: tuple of arrays of N rows, one an item.
        transform: function of a batch of each and of flips, (B,) bool, that gives the encoder's input first.
        batch_size: items computed at once.

    Returns:
        (N, ...) float16, mapped from the disk. What float16 cannot hold is cut off at 65504.

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
    return values  # not mapped anew: another process may have replaced the file


def in_place_of_input(transform):
    """The transform of batches that have features before them: they become the input, the target stays."""
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
    """The array on disk, to be written; made anew if it is not there, damaged or of another shape."""
    try:
        values = np.lib.format.open_memmap(path, "r+")
        if values.shape == shape and values.dtype == "float16":
            return values
    except Exception:  # what NumPy raises for a damaged header has many names
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
