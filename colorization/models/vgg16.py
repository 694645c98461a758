"""The convolutional blocks of VGG16 (Simonyan and Zisserman 2015; the paper's Figure 6)."""

from keras import layers

from colorization.core.typing import Tensor
from colorization.models.layers import BN_MOMENTUM, penalty

MEAN_RGB = (123.68, 116.779, 103.939)  # of ImageNet's training set; Simonyan and Zisserman, section 2.1
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""(channels, number of 3x3 convolutions) of blocks 1 to 5; a 2x2 max-pooling ends each."""


def blocks(
    rgb: Tensor,
    count: int = 5,
    width: float = 1.0,
    batch_norm: bool = False,
    frozen: int = 0,
    l2: float = 0.0,
    subtract_mean: bool = True,
) -> Tensor:
    """The first `count` blocks of VGG16, after the subtraction of the mean RGB.

    Args:
        rgb: Keras tensor (B, H, W, 3) in 0..255, RGB.
        count: number of blocks, 1..5.
        width: factor on the channels.
        batch_norm: whether a batch normalization is between each convolution and its ReLU.
        frozen: number of leading blocks that are not trained.
        l2: weight of the sum of squared trained kernels in the loss.
        subtract_mean: whether the mean RGB is subtracted.

    Returns:
        Keras tensor (B, H // 2**count, W // 2**count, channels of the last block * width).
    """
    offset = [-mean if subtract_mean else 0.0 for mean in MEAN_RGB]
    x = layers.Rescaling(1.0, offset=offset, dtype="float32", name="subtract_mean")(rgb)
    for b, (channels, convolutions) in enumerate(BLOCKS[:count], 1):
        for i in range(1, convolutions + 1):
            name = f"block{b}_conv{i}"
            x = convolve(x, name, max(1, round(channels * width)), batch_norm, trainable=b > frozen, l2=l2)
        x = layers.MaxPooling2D(2, data_format="channels_last", name=f"block{b}_pool")(x)
    return x


def convolve(
    x: Tensor,
    name: str,
    channels: int,
    batch_norm: bool,
    trainable: bool = True,
    l2: float = 0.0,
    bn_after_relu: bool = False,
) -> Tensor:
    """A 3x3 convolution, a batch normalization (optional) and a ReLU.

    Args:
        x: Keras tensor (B, H, W, C).
        name: name of the convolution, which contains "conv". The other layers have "bn" and "relu" instead.
        channels: number of output channels.
        batch_norm: whether there is a batch normalization.
        trainable: whether the layers are trained.
        l2: weight of the sum of squared kernels in the loss.
        bn_after_relu: whether the ReLU is before the batch normalization.

    Returns:
        Keras tensor (B, H, W, channels).
    """
    x = layers.Conv2D(
        channels,
        3,
        padding="same",
        data_format="channels_last",  # whatever keras.json says
        activation=None if batch_norm else "relu",
        kernel_regularizer=penalty(l2),
        trainable=trainable,
        name=name,
    )(x)
    if batch_norm:
        bn, relu = (name.replace("conv", kind) for kind in ("bn", "relu"))
        normalize = layers.BatchNormalization(momentum=BN_MOMENTUM, trainable=trainable, name=bn)
        rectify = layers.ReLU(name=relu)
        x = normalize(rectify(x)) if bn_after_relu else rectify(normalize(x))
    return x
