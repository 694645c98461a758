"""From lightness to ab to RGB, shared by training samples, evaluation, inference and exports."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from colorization.core import color
from colorization.core.typing import Tensor
from colorization.models import STRIDE
from colorization.models.tasks import Decoding

_LONGEST = 16  # times the working size: limit of the longer side of a network's input


def predictor(
    model: keras.Model,
    decodings: Mapping[str, Decoding],
    temperature: float | None,
    side: int | None = None,
    working_size: int = 0,
) -> keras.Model:
    """A Keras model from L to all decodings at once; the logits stay on the device.

    Args:
        model: a task's model.
        decodings: {name: Decoding}.
        temperature: of the annealed mean; None for a task without one.
        side: of square images, in pixels; None: every image is seen at its own size.
        working_size: size at which the model sees images of this side, see working_shape.

    Returns:
        keras.Model: (B, H, W, 1) L -> {name: (B, H, W, 2) ab}.
    """
    if side is None or (seen := _seen(model, side, working_size)) == side:
        decoded = {name: decode(model.output, temperature) for name, decode in decodings.items()}
        return keras.Model(model.input, decoded)
    lightness = keras.Input((side, side, 1))
    output = model(resize(lightness, (seen, seen)))
    decoded = {name: resize(decode(output, temperature), (side, side)) for name, decode in decodings.items()}
    return keras.Model(lightness, decoded)


def _seen(model, side, working_size):
    """The side at which a model sees square images."""
    return int(working_shape(model, side, side, working_size)[0])


def working_shape(model: keras.Model, height: Any, width: Any, working_size: int) -> tuple[Any, Any]:
    """The size at which a model sees a picture.

    Args:
        model: a task's Keras model.
        height, width: of the picture, ints or scalar tensors.
        working_size: shorter side in pixels, before rounding; a smaller picture is not enlarged.

    Returns:
        (height, width), multiples of 8, int32 scalar tensors; the fixed size of a model that has one.
    """
    fixed = fixed_size(model)
    if fixed:
        return fixed
    height, width = ops.cast(height, "float32"), ops.cast(width, "float32")
    shorter, longer = ops.minimum(height, width), ops.maximum(height, width)
    scale = ops.minimum(1.0, ops.minimum(working_size / shorter, _LONGEST * working_size / longer))
    steps = [ops.maximum(1.0, ops.round(side * scale / STRIDE)) for side in (height, width)]
    return tuple(ops.cast(STRIDE * count, "int32") for count in steps)


def fixed_size(model: keras.Model) -> tuple[int, int] | None:
    """The fixed input size of a model.

    Args:
        model: a task's Keras model.

    Returns:
        (height, width) in pixels; None if the model takes any size.
    """
    size = model.input_shape[1:3]
    return None if None in size else size


def ab_at(
    model: keras.Model,
    decode: Any,
    lightness: Tensor,
    temperature: float | Tensor | None,
    shape: tuple[Any, Any],
) -> Tensor:
    """ab at the size of the picture, predicted at another size.

    Args:
        model: a task's Keras model.
        decode: one of its decodings.
        lightness: (B, H, W, 1) float32, 0..100.
        temperature: of the annealed mean.
        shape: (height, width) of working_shape.

    Returns:
        (B, H, W, 2) float32.
    """
    ab = decode(model(resize(lightness, shape), training=False), temperature)
    return resize(ab, ops.shape(lightness)[1:3])


def resize(planes: Tensor, shape: tuple[Any, Any]) -> Tensor:
    """Resize planes. A side that shrinks is averaged by area; a side that grows is interpolated linearly.

    The results are those of OpenCV's INTER_AREA and INTER_LINEAR. Two matrix products compute them, because
    these give the same values in every backend and exported format.

    Args:
        planes: (B, H, W, C) float32.
        shape: (height, width), ints or scalar tensors.

    Returns:
        (B, height, width, C) float32.
    """
    height, width = ops.shape(planes)[1:3]
    rows, columns = _resampling(height, shape[0]), _resampling(width, shape[1])
    return ops.einsum("jw,biwc->bijc", columns, ops.einsum("ih,bhwc->biwc", rows, planes))


def _resampling(source, target):
    """(target, source) float32: the weights of the old pixels in each new one, along one side."""
    source, target = ops.cast(source, "float32"), ops.cast(target, "float32")
    step = source / target
    new, old = ops.arange(target)[:, None], ops.arange(source)[None, :]
    covered = ops.minimum((new + 1) * step, old + 1) - ops.maximum(new * step, old)
    by_area = ops.maximum(covered, 0.0) / step
    center = ops.clip((new + 0.5) * step - 0.5, 0.0, source - 1)
    linear = ops.maximum(1 - ops.abs(center - old), 0.0)
    return ops.where(step > 1, by_area, linear)


def compose(lightness: Tensor, ab: Tensor) -> np.ndarray:
    """RGB with the given lightness, see rgb_of.

    Args:
        lightness: (..., 1) float, 0..100.
        ab: (..., 2) float.

    Returns:
        (..., 3) uint8 NumPy array.
    """
    return ops.convert_to_numpy(rgb_of(lightness, ab))


def rgb_of(lightness: Tensor, ab: Tensor) -> Tensor:
    """RGB with the given lightness. The chroma of colors outside the sRGB gamut is reduced.

    Args:
        lightness: (..., 1) float, 0..100.
        ab: (..., 2) float.

    Returns:
        (..., 3) uint8 tensor.
    """
    lab = ops.concatenate([ops.cast(lightness, "float32"), ops.cast(ab, "float32")], axis=-1)
    return color.to_uint8(color.lab_to_rgb(color.fit_gamut(lab)))


def gray(lightness: Tensor) -> np.ndarray:
    """RGB with the given lightness and without color.

    Args:
        lightness: (..., 1) float, 0..100.

    Returns:
        (..., 3) uint8 NumPy array.
    """
    return compose(lightness, ops.zeros_like(ops.repeat(lightness, 2, axis=-1)))
