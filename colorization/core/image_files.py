"""Image files <-> uint8 RGB arrays."""

from pathlib import Path

import cv2
import numpy as np

from colorization.core.atomic_io import replacing
from colorization.core.errors import InputError

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it would say, InputError says


def read(path):
    """The image in a file.

    Returns:
        (H, W, 3) uint8 RGB; gray images have three equal channels.

    Raises:
        InputError: the file is missing or is no image.
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
        raise InputError(
            f"{path} is no image that can be read, or is damaged: give a PNG, JPEG, TIFF, WebP or BMP file."
        )
    return image


def write(path, rgb):
    """Write (H, W, 3) uint8 RGB, whole or not at all, in the format of the suffix. Raises InputError."""
    try:
        _, data = cv2.imencode(Path(path).suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    except cv2.error:
        raise InputError(f"{path} cannot be written: its suffix names no image format.") from None
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def as_batch(image):
    """A batch of RGB of a picture or a batch, gray or RGB.

    Args:
        image: uint8, (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3).

    Returns:
        (N, H, W, 3) uint8.

    Raises:
        TypeError: not uint8.
        ValueError: no such shape, or an empty image.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise TypeError(f"an image is uint8, not {image.dtype}: scale it to 0..255 first")
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim not in (3, 4) or image.shape[-1] not in (1, 3) or image.size == 0:
        raise ValueError(
            f"an image is (H, W), (H, W, 1 or 3), or a batch (N, H, W, 1 or 3), not of shape {image.shape}"
        )
    batch = image if image.ndim == 4 else image[None]
    return np.broadcast_to(batch, (*batch.shape[:3], 3))
