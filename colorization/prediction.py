"""From lightness to ab to RGB: the one way that training samples, evaluation and inference share."""

import keras
from keras import ops

from . import bins, color


def predictor(model, decodings, temperature=bins.TEMPERATURE):
    """A Keras model from L to all decodings at once; the wide logits never leave the device.

    Args:
        model: a task's model.
        decodings: {name: function of output and temperature}.

    Returns:
        keras.Model: (B, H, W, 1) L -> {name: (B, H, W, 2) ab}.
    """
    decoded = {name: decode(model.output, temperature) for name, decode in decodings.items()}
    return keras.Model(model.input, decoded)


def compose(lightness, ab):
    """RGB of a given lightness; where sRGB cannot show a colour its chroma gives way, not the lightness.

    Args:
        lightness: (..., 1) float, 0..100.
        ab: (..., 2) float.

    Returns:
        (..., 3) uint8 NumPy array.
    """
    lab = ops.concatenate([ops.cast(lightness, "float32"), ops.cast(ab, "float32")], axis=-1)
    return ops.convert_to_numpy(color.to_uint8(color.lab_to_rgb(color.fit_gamut(lab))))


def grey(lightness):
    """RGB of a given lightness, (..., 1) float, without colour: (..., 3) uint8 NumPy array."""
    return compose(lightness, ops.zeros_like(ops.repeat(lightness, 2, axis=-1)))
