"""Color profiles: samples of any profile -> sRGB, at the depth of the picture, by LittleCMS."""

import concurrent.futures
import functools
import os
from collections.abc import Sequence

import cv2
import numpy as np

SPACES = {"GRAY": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
"""{kind of samples: its name in the header of a profile}."""

_RELATIVE_COLORIMETRIC = 1
_BLACK_POINT_COMPENSATION = 0x2000  # both as Photoshop converts
_EXACT = 0x0100 | 0x0040  # no tables, no cache: the tables for 16 bits are wrong by 8 % in the shadows
_STRIP = 2**18  # pixels that one thread converts at a time
_SRGB_COLORS = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x, y of white, red, green, blue
_SRGB_GAMMA = 1 / 2.2  # nearly
_NEARLY = 1 / 255  # a profile that changes colors by less is treated as sRGB


UNUSABLE = "Its color profile cannot be used; its colors are taken as sRGB."
"""The sentence about a ProfileError."""


class ProfileError(ValueError):
    """A profile that cannot be applied."""


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, 588 bytes, the same in every process."""
    import imagecodecs

    profile = imagecodecs.cms_profile("srgb")
    date = np.array([2020, 1, 1, 0, 0, 0], ">u2").tobytes()  # replaces the present date
    return profile[:24] + date + profile[36:]


def of_gamma(gamma: float, colors: Sequence[float] | None = None) -> bytes | None:
    """An ICC profile of samples that are powers of the light, as PNG files tell it.

    Args:
        gamma: exponent of the samples: sample = light ** gamma, both 0..1.
        colors: chromaticities x, y of white, red, green and blue; None takes those of sRGB.

    Returns:
        A profile of RGB; None if the samples are nearly sRGB, or if no picture can have such a gamma.

    Raises:
        ProfileError: there are no such chromaticities, or they are not four.
    """
    import imagecodecs

    colors = _SRGB_COLORS if colors is None else colors
    if len(colors) != len(_SRGB_COLORS):
        raise ProfileError("it does not have four chromaticities")
    is_plain = np.allclose(colors, _SRGB_COLORS, atol=0.01)
    if not 0.1 < gamma < 10 or (is_plain and abs(gamma / _SRGB_GAMMA - 1) < 0.05):  # libpng's tolerance
        return None
    try:
        white, *primaries = ([x, y, 1.0] for x, y in zip(colors[::2], colors[1::2], strict=True))
        return imagecodecs.cms_profile(
            "rgb", whitepoint=white, primaries=np.ravel(primaries).tolist(), gamma=1 / gamma
        )
    except (RuntimeError, ValueError) as error:
        raise ProfileError(str(error)) from None


def to_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """Convert samples to sRGB. Gray samples stay one channel.

    Args:
        pixels: uint8 or uint16; (H, W) gray, (H, W, 3) RGB or (H, W, 4) CMYK.
        profile: an ICC profile. An RGB profile also fits gray samples: all three channels are equal.

    Returns:
        (H, W) or (H, W, 3), sRGB-encoded, of the same dtype.

    Raises:
        ProfileError: the profile is damaged, or made for other samples.
    """
    space = profile[16:20]
    if pixels.ndim == 2:
        return _gray_to_srgb(pixels, profile, space)
    if space != (SPACES["RGB"] if pixels.shape[2] == 3 else SPACES["CMYK"]):
        raise ProfileError("it is made for another kind of color")
    if pixels.shape[2] == 3 and _is_srgb(profile):
        return pixels
    return _in_strips(pixels, profile)


def _gray_to_srgb(pixels: np.ndarray, profile: bytes, space: bytes) -> np.ndarray:
    """Convert gray levels by a table. It holds the mean of the converted channels: the result is neutral."""
    most = np.iinfo(pixels.dtype).max
    ramp = np.arange(most + 1, dtype=pixels.dtype)[None]
    if space == SPACES["RGB"]:
        ramp = np.repeat(ramp[..., None], 3, axis=2)
    elif space != SPACES["GRAY"]:
        raise ProfileError("it is made for another kind of color")
    levels = _transform(ramp, profile, np.dtype(np.float32))[0].mean(axis=-1)
    table = np.rint(most * np.clip(levels, 0, 1)).astype(pixels.dtype)
    return cv2.LUT(pixels, table) if pixels.dtype == np.uint8 else table[pixels]


@functools.lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    axis = np.linspace(0, 255, 9, dtype=np.uint8)
    grid = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(1, -1, 3)
    found = _transform(grid, profile, np.dtype(np.float32))
    return bool(np.abs(found - grid / 255).max() < _NEARLY)


def _in_strips(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    result = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    rows = max(1, _STRIP // pixels.shape[1])

    def convert(start: int) -> None:
        result[start : start + rows] = _transform(pixels[start : start + rows], profile, pixels.dtype)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(convert, range(0, len(pixels), rows)))
    return result


def _transform(samples: np.ndarray, profile: bytes, dtype: np.dtype) -> np.ndarray:
    """Convert samples to (..., 3) sRGB of another dtype; floats are 0..1."""
    import imagecodecs

    space = {2: "gray", 3: "rgb", 4: "cmyk"}[samples.ndim if samples.ndim == 2 else samples.shape[2]]
    try:
        return imagecodecs.cms_transform(
            np.ascontiguousarray(samples),
            profile,
            srgb_profile(),
            colorspace=space,
            outcolorspace="rgb",
            outdtype=dtype,
            intent=_RELATIVE_COLORIMETRIC,
            flags=_BLACK_POINT_COMPENSATION | (0 if samples.dtype == np.uint8 else _EXACT),
        )
    except (RuntimeError, ValueError) as error:  # CmsError is a RuntimeError
        raise ProfileError(str(error)) from None


def cmyk_to_rgb(pixels: np.ndarray) -> np.ndarray:
    """Convert CMYK without a profile: each ink reduces the light of the paper by its share.

    Args:
        pixels: (H, W, 4) uint8 or uint16 CMYK, 0 without ink.

    Returns:
        (H, W, 3) RGB of the same dtype.
    """
    most = np.iinfo(pixels.dtype).max
    light = (most - pixels).astype(np.uint32)
    return ((light[..., :3] * light[..., 3:] + most // 2) // most).astype(pixels.dtype)
