"""The classification by transfer from VGG16: its blocks in place of the encoder (paper, section 4.1.2)."""

import keras
from keras import layers, ops

from colorization.core import bins, color
from colorization.core.errors import InputError
from colorization.models import nine_blocks, vgg16


def transfer(
    image_size: int = 32,
    width: float = 1.0,
    vgg_size: int = 224,
    vgg_blocks: int = 5,
    vgg_width: float = 1.0,
    batch_norm: bool = False,
    frozen_blocks: int = 5,
    l2: float = 0.0,
    dropout: float = 0.0,
    rgb_range: str = "0-255",
    subtract_mean: bool = True,
    bn_after_relu: bool = False,
) -> keras.Model:
    """Gray RGB -> enlarged -> VGG16 blocks -> three convolutions with BN -> max-pooling -> blocks 8 and 9.

    Pretrained weights are set by vgg16_weights.load.

    Args:
        image_size: side of the input and of the output, a multiple of 8.
        width: factor on the channels of the three convolutions (512) and of block 8.
        vgg_size: side of the bilinearly enlarged input.
        vgg_blocks: number of VGG16's blocks in use, 1..5.
        vgg_width: factor on the channels of VGG16's blocks.
        batch_norm: whether VGG16's blocks have batch normalization.
        frozen_blocks: number of leading blocks that are not trained.
        l2: lambda, weight of the sum of squared trained kernels in the loss.
        dropout: rate of the dropout after the three convolutions; 0 builds no such layer.
        rgb_range: of the gray RGB, "0-255" or "0-1".
        subtract_mean: whether ImageNet's mean RGB is subtracted from it.
        bn_after_relu: whether a ReLU comes before the batch normalization in the three convolutions.

    Returns:
        keras.Model: (B, image_size, image_size, 1) float L in 0..100 -> (B, image_size, image_size, 313)
        float32 logits.

    Raises:
        InputError: pooling cannot reduce the features of VGG16's blocks to an eighth of image_size.
    """
    side, wanted = vgg_size // 2**vgg_blocks, image_size // nine_blocks.STRIDE
    pooling = -(-side // wanted)
    if side < wanted or -(-side // pooling) != wanted:
        raise InputError(
            f"vgg_blocks={vgg_blocks} at vgg_size={vgg_size} give {side} x {side} features. Pooling cannot "
            f"reduce them to the {wanted} x {wanted} features for image_size={image_size}. "
            f"Set vgg_size={wanted * 2**vgg_blocks}, or change vgg_blocks."
        )
    lightness = keras.Input((image_size, image_size, 1), name="lightness")
    x = GrayRGB(vgg_size, maximum=int(rgb_range[2:]), dtype="float32", name="gray_rgb")(lightness)
    x = vgg16.blocks(x, vgg_blocks, vgg_width, batch_norm, frozen_blocks, l2, subtract_mean)
    channels = max(1, round(512 * width))
    for i in range(1, 4):
        x = vgg16.convolve(x, f"block7_conv{i}", channels, True, l2=l2, bn_after_relu=bn_after_relu)
    if dropout:
        x = layers.Dropout(dropout, name="block7_dropout")(x)
    x = layers.MaxPooling2D(pooling, padding="same", data_format="channels_last", name="block7_pool")(x)
    logits = nine_blocks.decode(x, width, l2, outputs=bins.COUNT, activation="linear")
    return keras.Model(lightness, logits, name="transfer")


@keras.saving.register_keras_serializable("colorization")
class GrayRGB(layers.Layer):
    """L in 0..100, (B, H, W, 1) -> its gray in RGB, (B, size, size, 3) in 0..maximum, enlarged
    bilinearly.

    Keras's Resizing cannot be used: its call has training=True as default. A model that is called without
    this argument then passes it on to the batch normalizations after the layer (Keras 3.15).
    """

    def __init__(self, size, maximum=255, **options):
        super().__init__(**options)
        self.size, self.maximum = size, maximum

    def call(self, lightness):
        rgb = self.maximum * color.lab_to_rgb(
            ops.concatenate([lightness, lightness * 0, lightness * 0], axis=-1)
        )
        return ops.image.resize(rgb, (self.size, self.size), "bilinear", data_format="channels_last")

    def get_config(self):
        return {**super().get_config(), "size": self.size, "maximum": self.maximum}
