"""VGG16's pretrained layers from all known files, as {"block1_conv1/kernel": array, ...}.

All results have one convention: RGB input with the mean subtracted. The Keras files were converted from
Caffe for BGR input, so the input channels of their first kernel are reversed here. Frossard's files are for
RGB. Nothing is unpickled or executed.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.models import vgg16
from colorization.runs import checkpoint_io
from colorization.runs.checkpoint_io import Arrays
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


def load(source: StrPath, variables: Sequence[Any], with_hidden: bool = False) -> None:
    """Set the blocks of VGG16 from a source. Weights are matched by name and shape.

    Args:
        source: "none" changes nothing. "imagenet" downloads the Keras file. Else the path of a Keras .h5 file
            (with or without top), of Frossard's vgg16_weights.npz, of a weights file of this project, or of a
            run folder, or the name of a preset.
        variables: the variables of a Keras model. Those of its VGG16 blocks are set, all five or fewer.
        with_hidden: whether the hidden layers fc6 and fc7 are set too. The source then needs the layers "with
            top".

    Raises:
        InputError: there is no network, or the file is not found, is damaged or has other layers. No variable
            has changed then.
    """
    if source == NONE:
        return
    path = download(*KERAS_FILES[with_hidden]) if source == IMAGENET else run_folder(source)
    wanted = [variable for variable in variables if _part(variable.path, with_hidden)]
    parts = {_part(variable.path, with_hidden) for variable in wanted}
    found = read(path, with_hidden)
    arrays = {name: array for name, array in found.items() if _part(name, with_hidden) in parts}
    if with_hidden and not any(_part(name, True) in HIDDEN for name in arrays):
        raise InputError(
            f"{path} has no hidden layers fc6 and fc7 of VGG16 (fc1 and fc2 of Keras). Name a file "
            '"with top" with --vgg-weights.'
        )
    checkpoint_io.assign(wanted, arrays, path)


def _part(name: str, with_hidden: bool) -> str | None:
    """The block of a variable, or its hidden layer if these count. None is any other layer."""
    layer = name.split("/")[0]
    if with_hidden and layer in HIDDEN:
        return layer
    block = _BLOCK.match(name)
    return block[1] if block else None


def read(path: StrPath, with_hidden: bool = False) -> Arrays:
    """Read the weights of a file in any of the formats, or of a run folder.

    Args:
        path: path of the file or folder.
        with_hidden: whether the hidden layers of a file (480 MB) are read too.

    Returns:
        {name: array}, for RGB input.

    Raises:
        InputError: the file is not found, is damaged or has another format.
    """
    path, layers = Path(path), [*_convolutions(), *(HIDDEN if with_hidden else ())]
    if path.is_dir():
        return RunFolder(path).weights()
    if not path.exists():
        raise InputError(f"{path} is not found. Name a weights file or a run folder with --vgg-weights.")
    try:
        if zipfile.is_zipfile(path):
            return _frossard(path, layers)
        if not h5py.is_hdf5(path):
            raise InputError(
                f"{path} is not a weights file, or is incomplete. Use a Keras .h5 or Frossard's .npz file."
            )
        with h5py.File(path, "r") as file:
            if "model" in file:
                return checkpoint_io.arrays(file["model"])
            if "layers" in file:
                raise InputError(
                    f"{path} is a .weights.h5 file of Keras 3, without names of layers. Save the model as "
                    ".h5."
                )
            return _keras(file.get("model_weights", file), layers)
    except InputError:
        raise
    except Exception as error:  # NumPy, zipfile, zlib and h5py raise many exceptions for a damaged file
        raise InputError(f"{path} is damaged or incomplete ({error}). Download it again.") from None


def download(origin: str, md5: str) -> Path:
    """Download a Keras file of ImageNet weights into Keras's cache, once.

    Args:
        origin: address of the file.
        md5: its MD5 in hex.

    Returns:
        Path of the file.

    Raises:
        InputError: the download fails, or the file has another MD5.
    """
    import keras

    try:
        return Path(keras.utils.get_file(origin=origin, file_hash=md5, cache_subdir="models"))
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise InputError(
            f"The ImageNet weights cannot be downloaded from {origin}. Name a file with --vgg-weights PATH."
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
    """Groups block1_conv1, ..., fc2, each with a kernel and a bias at any depth, by old or new names; BGR."""
    arrays = {}
    for layer in layers:
        group = HIDDEN.get(layer, layer)
        for array in checkpoint_io.arrays(file[group]).values() if group in file else ():
            arrays[f"{layer}/{'bias' if array.ndim == 1 else 'kernel'}"] = array
    first = "block1_conv1/kernel"
    if first in arrays and arrays[first].ndim == 4:
        arrays[first] = arrays[first][:, :, ::-1]
    return arrays


def _convolutions() -> Iterator[str]:
    """Names of VGG16's convolutions."""
    for block, (_, count) in enumerate(vgg16.BLOCKS, 1):
        yield from (f"block{block}_conv{i}" for i in range(1, count + 1))
