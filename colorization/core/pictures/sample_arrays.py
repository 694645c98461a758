"""Convert the samples of decoders to gray, RGB or CMYK, and alpha, as uint8 or uint16."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

_SWAPS = {5, 6, 7, 8}  # orientations that exchange height and width


@dataclass
class Samples:
    """A decoded page before its profile and its orientation are applied.

    Attributes:
        pixels: uint8 or uint16; (H, W) gray, (H, W, 3) RGB or (H, W, 4) CMYK, 0 without ink.
        alpha: (H, W) of the same dtype, or None.
        profile: the ICC profile, or None.
        orientation: of EXIF, 1 to 8.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    orientation: int = 1


def of_image(image: Image.Image) -> Samples:
    """The samples of an image of any mode of Pillow.

    Args:
        image: a loaded image.

    Returns:
        Samples, without profile and orientation.
    """
    mode, transparency = image.mode, image.info.get("transparency")
    if mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.uint16, copy=False)
        return Samples(pixels, _unequal(pixels, transparency))
    if mode in ("I", "F"):
        return Samples(scaled(np.asarray(image))[0])
    if mode == "1":
        return of_image(
            _with_info(image.convert("L"), None if transparency is None else 255 * bool(transparency))
        )
    if mode in ("P", "PA", "RGBa", "La") or (transparency is not None and mode in ("L", "RGB")):
        return _of_converted(image)
    if mode not in ("L", "RGB", "LA", "RGBA", "CMYK"):
        image = image.convert("RGB")  # YCbCr, Lab, HSV, RGBX
    array = np.asarray(image)
    return Samples(array) if image.mode == "CMYK" else split(array)


def _of_converted(image: Image.Image) -> Samples:
    """Samples of an image with a palette, or with one transparent color."""
    has_alpha = image.mode in ("PA", "RGBa", "La") or "transparency" in image.info
    palette = (
        np.array(image.getpalette() or [], np.uint8).reshape(-1, 3) if image.mode in ("P", "PA") else None
    )
    is_gray = image.mode in ("L", "La") or (palette is not None and bool((palette == palette[:, :1]).all()))
    samples = split(np.asarray(image.convert("RGBA" if has_alpha else "RGB")))
    if is_gray:
        samples.pixels = np.ascontiguousarray(samples.pixels[..., 0])
    return samples


def _with_info(image: Image.Image, transparency: int | None) -> Image.Image:
    image.info = {} if transparency is None else {"transparency": transparency}
    return image


def _unequal(pixels: np.ndarray, value: object) -> np.ndarray | None:
    """Alpha that hides the pixels of one value."""
    if not isinstance(value, int):
        return None
    return np.where(pixels == value, 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def split(array: np.ndarray) -> Samples:
    """Separate the colors of an array from its alpha.

    Args:
        array: (H, W) gray, or (H, W, C): gray, gray and alpha, RGB, or RGB and alpha. CMYK is not supported:
            its fourth channel would be taken as alpha.

    Returns:
        Samples, without profile and orientation.
    """
    if array.ndim == 2:
        return Samples(array)
    colors = 1 if array.shape[2] < 3 else 3
    pixels = array[..., 0] if colors == 1 else array[..., :3]
    alpha = array[..., colors] if array.shape[2] > colors else None
    return Samples(np.ascontiguousarray(pixels), None if alpha is None else np.ascontiguousarray(alpha))


def scaled(array: np.ndarray, bits: int | None = None) -> tuple[np.ndarray, str | None]:
    """Samples of any number type as uint8 or uint16.

    Args:
        array: integers, or floats of 0..1.
        bits: used bits of integers; None takes all of the type.

    Returns:
        (uint8 or uint16 of the same shape, a sentence about values outside the range or None).
    """
    if array.dtype.kind == "f":
        return _scaled_floats(array)
    if array.dtype == np.bool_:
        return array * np.uint8(255), None
    most = 2**bits - 1 if bits else np.iinfo(array.dtype).max
    target = np.uint8 if most <= 255 else np.uint16
    if most == np.iinfo(target).max:
        return array.astype(target, copy=False), None
    if most <= 65535 and array.dtype.kind == "u":
        table = np.rint(np.arange(most + 1) * (np.iinfo(target).max / most)).astype(target)
        return table[np.minimum(array, most)], None
    values = np.clip(array, 0, most).astype(np.float64)
    return np.rint(values * (65535 / most)).astype(np.uint16), None


def _scaled_floats(array: np.ndarray) -> tuple[np.ndarray, str | None]:
    values = np.nan_to_num(array.astype(np.float32, copy=False), nan=0.0)
    low, high = float(values.min()), float(values.max())
    told, range_ = None, 1.0
    if high > 1 and float(np.median(values)) > 1:  # not 0..1 with some brighter pixels
        range_ = next((float(most) for most in (255, 65535) if high <= most), high)
        told = f"Its floating-point values reach {high:.6g}; {range_:.6g} is taken as white."
    elif high > 1 or low < 0:
        told = (
            f"Its floating-point values range from {low:.4g} to {high:.4g}; those outside 0 to 1 are clipped."
        )
    values = np.clip(values, 0, range_) * np.float32(65535 / range_)
    return np.rint(values, out=values).astype(np.uint16), told


def reduced(array: np.ndarray) -> np.ndarray:
    """Reduce 16 bits to 8.

    Args:
        array: (...) uint16.

    Returns:
        (...) uint8, rounded to the nearest value.
    """
    table = np.rint(np.arange(65536) / 257).astype(np.uint8)
    return table[array]


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror an array so that its orientation becomes 1.

    Args:
        array: (H, W) or (H, W, C).
        orientation: of EXIF, 1 to 8.

    Returns:
        The array, with height and width exchanged for the orientations 5 to 8; contiguous.
    """
    if orientation in _SWAPS:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
