"""The convolutional blocks of VGG16 (Simonyan and Zisserman 2015; the report's Figure 6)."""

from keras import layers

MEAN_RGB = (123.68, 116.779, 103.939)  # of ImageNet's training set; Simonyan and Zisserman, section 2.1
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""(channels, number of 3x3 convolutions) of blocks 1 to 5; a 2x2 max-pooling ends each."""

STRIDE = 2 ** len(BLOCKS)


def blocks(rgb, width=1.0, batch_norm=False, frozen=0):
    """Blocks 1 to 5, the mean RGB subtracted first.

    Args:
        rgb: Keras tensor (B, H, W, 3), 0..255, RGB.
        width: multiplies the channels.
        batch_norm: a batch normalization between each convolution and its ReLU.
        frozen: the first so many blocks are not trained.

    Returns:
        Keras tensor (B, H // 32, W // 32, 512 * width).
    """
    x = layers.Rescaling(1.0, offset=[-mean for mean in MEAN_RGB], dtype="float32", name="subtract_mean")(rgb)
    for b, (channels, count) in enumerate(BLOCKS, 1):
        trainable = b > frozen
        for i in range(1, count + 1):
            x = _convolve(x, f"block{b}_conv{i}", max(1, round(channels * width)), batch_norm, trainable)
        x = layers.MaxPooling2D(2, name=f"block{b}_pool")(x)
    return x


def _convolve(x, name, channels, batch_norm, trainable):
    activation = None if batch_norm else "relu"
    x = layers.Conv2D(channels, 3, padding="same", activation=activation, trainable=trainable, name=name)(x)
    if batch_norm:
        x = layers.BatchNormalization(trainable=trainable, name=name.replace("conv", "bn"))(x)
        x = layers.ReLU(name=name.replace("conv", "relu"))(x)
    return x
