"""Arrays that hold one picture or several, in color or in gray."""

from typing import NamedTuple

import numpy as np


def single(image: np.ndarray) -> np.ndarray:
    """The only picture of an array.

    Args:
        image: uint8 or uint16, (H, W), (H, W, 1 or 3), or (1, H, W, 1 or 3).

    Returns:
        (H, W) gray or (H, W, 3) RGB.

    Raises:
        ValueError: the array has several pictures.
    """
    pictures = as_pictures(image).pictures
    if len(pictures) > 1:
        raise ValueError(f"expected one image, received {len(pictures)}")
    return pictures[0]


class Pictures(NamedTuple):
    """Pictures of one size.

    Attributes:
        pictures: (H, W) gray or (H, W, 3) RGB each, uint8 or uint16.
        shape: (H, W).
        is_batch: whether the array had a batch axis.
    """

    pictures: list[np.ndarray]
    shape: tuple[int, int]
    is_batch: bool


def as_pictures(image: np.ndarray) -> Pictures:
    """The pictures of an array.

    Args:
        image: uint8 or uint16, (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3).

    Returns:
        Pictures.

    Raises:
        TypeError: the dtype is another one.
        ValueError: the shape is another one, or the image is empty.
    """
    image = np.asarray(image)
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(
            f"expected an image of dtype uint8 or uint16, received {image.dtype}: scale it to 0..255 first"
        )
    given = image if image.ndim != 2 else image[..., None]
    if given.ndim not in (3, 4) or given.shape[-1] not in (1, 3) or image.size == 0:
        raise ValueError(
            f"expected an image of shape (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3), received {image.shape}"
        )
    batch = given if given.ndim == 4 else given[None]
    pictures = [picture[..., 0] if picture.shape[-1] == 1 else picture for picture in batch]
    return Pictures(
        [np.ascontiguousarray(picture) for picture in pictures], batch.shape[1:3], given.ndim == 4
    )
