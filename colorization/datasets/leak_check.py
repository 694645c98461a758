"""Check whether images are among the training images of a network."""

import hashlib
from collections.abc import Iterable

import numpy as np

from colorization.core.errors import InputError

_TWINS = 0.01  # share of images that a data set may contain twice


def refuse_known(images: np.ndarray, known: Iterable[np.ndarray], sentence: str) -> None:
    """Refuse images of which more than one in a hundred is among others, compared byte by byte.

    Args:
        images: (N, H, W, 3) uint8.
        known: iterable of (M, H, W, 3) uint8 arrays of the same height and width.
        sentence: the error message; {share} in it is replaced by the share of known images.

    Raises:
        InputError: more than one image in a hundred is known.
    """
    seen = {_digest(image) for part in known for image in part}
    share = sum(_digest(image) in seen for image in images) / len(images)
    if share > _TWINS:
        raise InputError(sentence.replace("{share}", f"{share:.0%}"))


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
