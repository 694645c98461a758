"""Image files <-> uint8 RGB arrays."""

from pathlib import Path

import cv2
import numpy as np

from .errors import InputError
from .files import replacing

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it would say, InputError says


def read(path):
    """The image in a file.

    Returns:
        (H, W, 3) uint8 RGB; grey images have three equal channels.

    Raises:
        InputError: the file is missing or is no image.
    """
    path = Path(path)
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise InputError(
            f"{path} is no image that can be read, or is damaged: give a PNG, JPEG, TIFF or WebP file."
        )
    return image


def write(path, rgb):
    """Write (H, W, 3) uint8 RGB, whole or not at all; the path's suffix tells the format."""
    with replacing(path) as temporary:
        try:
            written = cv2.imwrite(str(temporary), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error:
            written = False
        if not written:
            raise InputError(
                f"{path} cannot be written: its suffix names no image format that OpenCV writes."
            )


def tile(rows, scale=3, gap=2):
    """One picture of rows of small images.

    Args:
        rows: list of (N, H, W, 3) uint8.
        scale: each pixel becomes a square of this side.
        gap: white pixels between images.

    Returns:
        (H', W', 3) uint8.
    """
    padding = ((0, 0), (0, gap), (0, gap), (0, 0))
    enlarged = [np.pad(row.repeat(scale, 1).repeat(scale, 2), padding, constant_values=255) for row in rows]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in enlarged], axis=0)
