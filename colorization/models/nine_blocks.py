"""The nine-block dilated encoder and decoder of the paper's Figure 4: its table as data, walked once."""

import keras
from keras import layers

from colorization.core import bins
from colorization.core.typing import Tensor
from colorization.models.layers import BN_MOMENTUM, Conv, convolve, penalty, scaled

STRIDE = 8  # the encoder's: heights and widths are multiples of it
DROPOUT_BLOCKS = (4, 5, 6, 7)  # the deep ones, where channels are many and neighbors differ

ENCODER = (
    (Conv(64), Conv(64, stride=2)),
    (Conv(128), Conv(128, stride=2)),
    (Conv(256), Conv(256), Conv(256, stride=2)),
    (Conv(512),) * 3,
    (Conv(512, dilation=2),) * 3,
    (Conv(512, dilation=2),) * 3,
    (Conv(512),) * 3,
)
"""Blocks 1 to 7; a batch normalization ends each."""

DECODER = (Conv(256, kernel=4, stride=2, transposed=True),) * 3
"""Block 8, which has no batch normalization."""


def regression(width: float = 1.0, l2: float = 0.0, dropout: float = 0.0) -> keras.Model:
    """The regression onto ab (paper, sections 4.1.1, Figures 3 and 4).

    Args:
        width: multiplies the channels of blocks 1 to 8.
        l2: lambda, weight of the sum of squared kernels in the loss.
        dropout: rate of the dropout after blocks 4 to 7; 0 builds no such layers.

    Returns:
        keras.Model: (B, H, W, 1) float L in 0..100 -> (B, H, W, 2) float32 in 0..1, which is
        (ab + 128) / 255. H and W are multiples of 8; others come out rounded up to one.
    """
    return _build("regression", width, l2, dropout, outputs=2, activation="sigmoid")


def classification(width: float = 1.0, l2: float = 0.0, dropout: float = 0.0) -> keras.Model:
    """The classification over 313 ab bins (paper, section 4.1.2, Figures 4 and 5).

    The softmax of Figure 4 belongs to the loss and to the decoding, which both are stable only from logits.

    Args:
        width: multiplies the channels of blocks 1 to 8.
        l2: lambda, weight of the sum of squared kernels in the loss.
        dropout: rate of the dropout after blocks 4 to 7; 0 builds no such layers.

    Returns:
        keras.Model: (B, H, W, 1) float L in 0..100 -> (B, H, W, 313) float32 logits. H and W are
        multiples of 8; others come out rounded up to one.

    Example:
        >>> classification(width=0.05).output_shape
        (None, None, None, 313)
    """
    return _build("classification", width, l2, dropout, outputs=bins.COUNT, activation="linear")


def decode(x: Tensor, width: float, l2: float, outputs: int, activation: str) -> Tensor:
    """Blocks 8 and 9: three transposed convolutions, then a 1x1 convolution onto the outputs.

    Args:
        x: Keras tensor (B, H, W, C).
        width: factor on the channels of block 8.
        l2: weight of the sum of squared kernels in the loss.
        outputs: number of outputs per pixel.
        activation: of the outputs.

    Returns:
        Keras tensor (B, 8 H, 8 W, outputs), float32.
    """
    for i, conv in enumerate(DECODER, 1):
        x = convolve(x, f"block8_deconv{i}", scaled(conv, width), l2)
    x = layers.Conv2D(
        outputs, 1, data_format="channels_last", kernel_regularizer=penalty(l2), name="block9_conv"
    )(x)
    return layers.Activation(activation, dtype="float32", name="block9_output")(x)


def _build(name, width, l2, dropout, outputs, activation):
    lightness = keras.Input((None, None, 1), name="lightness")
    x = layers.Rescaling(1 / 100, name="scale")(lightness)
    for b, block in enumerate(ENCODER, 1):
        for i, conv in enumerate(block, 1):
            x = convolve(x, f"block{b}_conv{i}", scaled(conv, width), l2)
        x = layers.BatchNormalization(momentum=BN_MOMENTUM, name=f"block{b}_bn")(x)
        if dropout and b in DROPOUT_BLOCKS:
            x = layers.Dropout(dropout, name=f"block{b}_dropout")(x)
    return keras.Model(lightness, decode(x, width, l2, outputs, activation), name=name)
