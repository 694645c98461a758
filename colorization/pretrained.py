"""VGG16's pretrained convolutions from every file that they come in, as {"block1_conv1/kernel": array, ...}.

All come out in one convention: RGB input, of which the mean has been subtracted. The Keras files were
converted from Caffe with BGR input, so that their first kernel's input channels are reversed here;
Frossard's were made for RGB.
"""

import re
import zipfile
from pathlib import Path

import h5py
import numpy as np

from . import runs, weights
from .errors import InputError
from .models import vgg

KERAS_ORIGIN = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
KERAS_MD5 = "6d6bbae143d832006294945121d1f1fc"
NONE = "none"
IMAGENET = "imagenet"
_BLOCK = re.compile("block[1-5]_(conv|bn)")


def load(source, variables):
    """Set VGG16's convolutions (and batch normalizations, if any) from a source, matched by name and shape.

    Args:
        source: "none" leaves them as they are; "imagenet" downloads the Keras file; else the path of a Keras
            .h5 (with or without top), of Frossard's vgg16_weights.npz, of a weights file of this project, or
            of a run folder.
        variables: a model's Keras variables; those of blocks 1 to 5 are set.

    Raises:
        InputError: no network, no such file, a damaged one, or one whose layers do not fit; then nothing is
            changed.
    """
    if source == NONE:
        return
    path = download() if source == IMAGENET else Path(source)
    table = {variable.path: variable for variable in variables if _BLOCK.match(variable.path)}
    blocks = {name.split("_")[0] for name in table}
    arrays = {name: array for name, array in read(path).items() if name.split("_")[0] in blocks}
    weights.assign(table.values(), arrays, path)


def read(path):
    """{name: array} of a file in any of the formats. Raises InputError."""
    path = Path(path)
    if path.is_dir():
        return runs.read_weights(path)
    try:
        if zipfile.is_zipfile(path):
            return _frossard(path)
        if not h5py.is_hdf5(path):
            raise InputError(
                f"{path} is no weights file, or is cut short: give a Keras .h5 or vgg16_weights.npz."
            )
        with h5py.File(path) as file:
            keras_layout = file.get("model_weights", file)
            if "model" not in file:
                return _keras(keras_layout)
    except FileNotFoundError:
        raise InputError(f"There are no VGG16 weights at {path}.") from None
    except (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged or cut short ({error}): get it again.") from None
    return weights.load(path, "model")[0]


def download(origin=KERAS_ORIGIN, md5=KERAS_MD5):
    """Path of the Keras file of ImageNet weights, downloaded once into Keras's cache and checked."""
    import keras

    try:
        return Path(keras.utils.get_file(origin=origin, file_hash=md5, cache_subdir="models"))
    except Exception as error:  # what Keras raises for a failed download is a bare Exception
        raise InputError(
            f"The ImageNet weights cannot be downloaded from {origin}: give a file by --vgg-weights PATH."
        ) from error


def _frossard(path):
    """conv1_1_W, conv1_1_b, ...: (3, 3, in, out) and (out,), RGB."""
    with np.load(path, allow_pickle=False) as archive:
        return {
            name: archive[f"{key}_{letter}"]
            for name, key, letter in _names()
            if f"{key}_{letter}" in archive.files
        }


def _keras(file):
    """Groups block1_conv1, ..., with a kernel and a bias somewhere below, under old or new names; BGR."""
    arrays = {}
    for block, (_, count) in enumerate(vgg.BLOCKS, 1):
        for layer in (f"block{block}_conv{i}" for i in range(1, count + 1)):
            found = []
            if layer in file:
                file[layer].visititems(
                    lambda _, item, found=found: found.append(item) if _is_array(item) else None
                )
            for item in found:
                arrays[f"{layer}/{'bias' if item.ndim == 1 else 'kernel'}"] = item[()]
    if "block1_conv1/kernel" in arrays:
        arrays["block1_conv1/kernel"] = arrays["block1_conv1/kernel"][:, :, ::-1]
    return arrays


def _is_array(item):
    return isinstance(item, h5py.Dataset)


def _names():
    for block, (_, count) in enumerate(vgg.BLOCKS, 1):
        for i in range(1, count + 1):
            for part, letter in (("kernel", "W"), ("bias", "b")):
                yield f"block{block}_conv{i}/{part}", f"conv{block}_{i}", letter
