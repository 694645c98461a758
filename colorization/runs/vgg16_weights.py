"""VGG16's pretrained layers from every file that they come in, as {"block1_conv1/kernel": array, ...}.

All come out in one convention: RGB input, of which the mean has been subtracted. The Keras files were
converted from Caffe with BGR input, so that their first kernel's input channels are reversed here;
Frossard's were made for RGB. Nothing is unpickled or executed.
"""

import re
import zipfile
from pathlib import Path

import h5py
import numpy as np

from colorization.core.errors import InputError
from colorization.models import vgg16
from colorization.runs import checkpoint_io
from colorization.runs.folder import RunFolder
from colorization.runs.resolve import run_folder

_KERAS = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels"
)
KERAS_FILES = {
    False: (f"{_KERAS}_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
    True: (f"{_KERAS}.h5", "64373286793e3c8b2b4e3219cbf3544b"),
}
"""{whether it has the hidden layers: (address, MD5)} of the files of Keras Applications."""

HIDDEN = {"fc6": "fc1", "fc7": "fc2"}
"""Hidden layers of block 6 -> their names in the files of Keras Applications."""

NONE = "none"
IMAGENET = "imagenet"
_BLOCK = re.compile("(block[1-5])_(conv|bn)")


def load(source, variables, with_hidden=False):
    """Set the blocks of VGG16 from a source, matched by name and shape.

    Args:
        source: "none" leaves them as they are; "imagenet" downloads the Keras file; else the path of a Keras
            .h5 (with or without top), of Frossard's vgg16_weights.npz, of a weights file of this project, or
            of a run folder, or a preset's name.
        variables: a model's Keras variables; those of its VGG16 blocks are set, be they all five or fewer.
        with_hidden: whether the hidden layers fc6 and fc7 are set too. The source then has the layers "with
            top".

    Raises:
        InputError: no network, no such file, a damaged one, or one whose layers do not fit; then nothing is
            changed.
    """
    if source == NONE:
        return
    path = download(*KERAS_FILES[with_hidden]) if source == IMAGENET else run_folder(source)
    wanted = [variable for variable in variables if _part(variable.path, with_hidden)]
    parts = {_part(variable.path, with_hidden) for variable in wanted}
    arrays = {
        name: array for name, array in read(path, with_hidden).items() if _part(name, with_hidden) in parts
    }
    if with_hidden and not any(_part(name, True) in HIDDEN for name in arrays):
        raise InputError(
            f"{path} holds VGG16 without its hidden layers fc6 and fc7 (fc1 and fc2 of Keras): give a file "
            '"with top" by --vgg-weights.'
        )
    checkpoint_io.assign(wanted, arrays, path)


def _part(name, with_hidden):
    """The block that a variable belongs to, or its hidden layer where these count; None for any other."""
    layer = name.split("/")[0]
    if with_hidden and layer in HIDDEN:
        return layer
    block = _BLOCK.match(name)
    return block and block[1]


def read(path, with_hidden=False):
    """{name: array} of a file in any of the formats, or of a run folder. Raises InputError.

    The hidden layers, 480 MB, are only read where they are wanted.
    """
    layers = [*_convolutions(), *(HIDDEN if with_hidden else ())]
    path = Path(path)
    if path.is_dir():
        return RunFolder(path).weights()
    if not path.exists():
        raise InputError(
            f"There are no VGG16 weights at {path}: give a file or a run folder by --vgg-weights."
        )
    try:
        if zipfile.is_zipfile(path):
            return _frossard(path, layers)
        if not h5py.is_hdf5(path):
            raise InputError(
                f"{path} is no weights file, or is cut short: give a Keras .h5 or Frossard's .npz."
            )
        with h5py.File(path, "r") as file:
            if "model" in file:
                return checkpoint_io.arrays(file["model"])
            if "layers" in file:
                raise InputError(
                    f"{path} numbers its layers instead of naming them, as Keras 3's .weights.h5 do: save "
                    "the model as .h5."
                )
            return _keras(file.get("model_weights", file), layers)
    except InputError:
        raise
    except Exception as error:  # what NumPy, zipfile, zlib and h5py raise for a damaged file has many names
        raise InputError(f"{path} is damaged or cut short ({error}): get it again.") from None


def download(origin, md5):
    """Path of the Keras file of ImageNet weights, downloaded once into Keras's cache and checked."""
    import keras

    try:
        return Path(keras.utils.get_file(origin=origin, file_hash=md5, cache_subdir="models"))
    except Exception as error:  # what Keras raises for a failed download is a bare Exception
        raise InputError(
            f"The ImageNet weights cannot be downloaded from {origin}: give a file by --vgg-weights PATH."
        ) from error


def _frossard(path, layers):
    """conv1_1_W, (3, 3, in, out), conv1_1_b, (out,), ...; RGB."""
    keys = {
        f"{layer}/{part}": f"{layer.replace('block', 'conv').replace('_conv', '_')}_{letter}"
        for layer in layers
        for part, letter in (("kernel", "W"), ("bias", "b"))
    }
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[key] for name, key in keys.items() if key in archive.files}


def _keras(file, layers):
    """Groups block1_conv1, ..., fc1, fc2; in each a kernel and a bias, under old or new names; BGR."""
    arrays = {}
    for layer in layers:
        group = HIDDEN.get(layer, layer)
        for array in checkpoint_io.arrays(file[group]).values() if group in file else ():
            arrays[f"{layer}/{'bias' if array.ndim == 1 else 'kernel'}"] = array
    first = "block1_conv1/kernel"
    if first in arrays and arrays[first].ndim == 4:
        arrays[first] = arrays[first][:, :, ::-1]
    return arrays


def _convolutions():
    """Names of VGG16's convolutions."""
    for block, (_, count) in enumerate(vgg16.BLOCKS, 1):
        yield from (f"block{block}_conv{i}" for i in range(1, count + 1))
