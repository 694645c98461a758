"""The layers that the models share: one row of the paper's Figure 4, and its regularizer."""

from typing import NamedTuple

import keras
from keras import layers

from colorization.core.typing import Tensor

BN_MOMENTUM = 0.9  # of the paper's original code; Keras would take 0.99


class Conv(NamedTuple):
    """One row of the table. All have the padding "same", and a ReLU follows."""

    channels: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    transposed: bool = False


def convolve(x: Tensor, name: str, conv: Conv, l2: float = 0.0) -> Tensor:
    """One convolution of the table, with its ReLU.

    Args:
        x: Keras tensor (B, H, W, C).
        name: name of the layer.
        conv: the row of the table.
        l2: weight of the sum of squared kernels in the loss.

    Returns:
        Keras tensor (B, H', W', conv.channels); stride and transposition change H and W.
    """
    kind = layers.Conv2DTranspose if conv.transposed else layers.Conv2D
    return kind(
        conv.channels,
        conv.kernel,
        strides=conv.stride,
        dilation_rate=conv.dilation,
        padding="same",
        data_format="channels_last",  # whatever keras.json says
        activation="relu",
        kernel_regularizer=penalty(l2),
        name=name,
    )(x)


def scaled(conv: Conv, width: float) -> Conv:
    """A row of the table with a factor on its channels.

    Args:
        conv: the row.
        width: the factor.

    Returns:
        Conv with at least one channel.
    """
    return conv._replace(channels=max(1, round(conv.channels * width)))


def penalty(l2: float) -> keras.regularizers.Regularizer | None:
    """The regularizer of a kernel.

    Args:
        l2: lambda, weight of the sum of squares.

    Returns:
        keras.regularizers.L2, or None for 0.
    """
    return keras.regularizers.L2(l2) if l2 else None
