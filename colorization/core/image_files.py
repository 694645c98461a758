"""Image files <-> uint8 RGB arrays."""

from pathlib import Path

import cv2
import numpy as np

from colorization.core.atomic_io import replacing
from colorization.core.errors import InputError
from colorization.core.typing import StrPath

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # InputError carries the message


def read(path: StrPath) -> np.ndarray:
    """Read an image file.

    Returns:
        (H, W, 3) uint8 RGB; gray images have three equal channels.

    Raises:
        InputError: the file is not found, or cannot be read as an image.
    """
    path = Path(path)
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from None
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise InputError(f"{path} cannot be read as an image: give a PNG, JPEG, TIFF, WebP or BMP file.")
    return image


def write(path: StrPath, rgb: np.ndarray) -> None:
    """Write an image file as a whole or not at all, in the format of the suffix.

    Args:
        path: of the file.
        rgb: (H, W, 3) uint8 RGB.

    Raises:
        InputError: the suffix is not that of an image format, or the file cannot be written.
    """
    try:
        _, data = cv2.imencode(Path(path).suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    except cv2.error:
        raise InputError(f"{path} cannot be written: its suffix is not that of an image format.") from None
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def as_batch(image: np.ndarray) -> np.ndarray:
    """A batch of RGB of a picture or a batch, gray or RGB.

    Args:
        image: uint8, (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3).

    Returns:
        (N, H, W, 3) uint8.

    Raises:
        TypeError: the dtype is not uint8.
        ValueError: the shape is another one, or the image is empty.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise TypeError(f"expected an image of dtype uint8, received {image.dtype}: scale it to 0..255 first")
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim not in (3, 4) or image.shape[-1] not in (1, 3) or image.size == 0:
        raise ValueError(
            f"expected an image of shape (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3), received {image.shape}"
        )
    batch = image if image.ndim == 4 else image[None]
    return np.broadcast_to(batch, (*batch.shape[:3], 3))
