"""VGG16 with a new head (Figure 6 of the paper)."""

import keras
from keras import layers, ops

from colorization.core.typing import Tensor
from colorization.models import vgg16 as vgg
from colorization.models.layers import penalty
from colorization.runs import vgg16_weights
from colorization.runs.folder import RunFolder
from vgg_eval.config import JudgeConfig


def vgg16(
    image_size: int = 224,
    num_classes: int = 10,
    head_width: int = 4096,
    width: float = 1.0,
    batch_norm: bool = False,
    frozen_blocks: int = 0,
    l2: float = 0.0,
    dropout: float = 0.0,
) -> keras.Model:
    """VGG16's blocks 1 to 5, and block 6: FC, FC, FC-10.

    The softmax of Figure 6 belongs to the loss and to the judge, which are numerically stable from logits.

    Args:
        image_size: side of the input, 32 or more.
        num_classes: units of the last layer.
        head_width: units of each hidden layer of block 6.
        width: factor on the channels of blocks 1 to 5.
        batch_norm: batch normalization between convolutions and ReLUs.
        frozen_blocks: number of leading blocks that are not trained; 6: all layers but the last.
        l2: weight of the sum of squared trained kernels in the loss.
        dropout: rate of the dropout after the hidden layers of block 6; 0 builds no such layers.

    Returns:
        keras.Model: (B, image_size, image_size, 3) float RGB in 0..255 -> (B, num_classes) float32 logits.
    """
    rgb = keras.Input((image_size, image_size, 3), name="rgb")
    x = vgg.blocks(rgb, width=width, batch_norm=batch_norm, frozen=frozen_blocks, l2=l2)
    x = layers.Flatten(data_format="channels_last", name="flatten")(x)
    for name in vgg16_weights.HIDDEN:
        x = layers.Dense(
            head_width,
            activation="relu",
            kernel_regularizer=penalty(l2),
            trainable=frozen_blocks <= len(vgg.BLOCKS),
            name=name,
        )(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    logits = layers.Dense(num_classes, kernel_regularizer=penalty(l2), name="fc8")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(rgb, logits, name="vgg16")


def build_judge(config: JudgeConfig, classes: list[str] | tuple[str, ...]) -> keras.Model:
    """Build the judge of a config, without loading weights.

    Args:
        config: a JudgeConfig.
        classes: names of the classes.

    Returns:
        keras.Model, see vgg16.
    """
    return vgg16(
        image_size=config.vgg_size,
        num_classes=len(classes),
        head_width=config.head_width,
        width=config.width,
        batch_norm=config.batch_norm,
        frozen_blocks=config.frozen_blocks,
        l2=config.penalty,
        dropout=config.dropout,
    )


def enlarged(rgb: Tensor, size: int) -> Tensor:
    """Images as the judge takes them (paper, section 4.2).

    Args:
        rgb: (B, H, W, 3) uint8 RGB.
        size: side of the result, in pixels.

    Returns:
        (B, size, size, 3) float32 in 0..255, enlarged bilinearly.
    """
    rgb = ops.cast(rgb, "float32")
    return (
        rgb
        if rgb.shape[1:3] == (size, size)
        else ops.image.resize(rgb, (size, size), "bilinear", data_format="channels_last")
    )


def load(run: RunFolder) -> keras.Model:
    """Load the network of a judge, with the weights that its config names in `predict_by`.

    Args:
        run: the RunFolder.

    Returns:
        keras.Model, see vgg16.

    Raises:
        InputError: it is not the run folder of a judge, it has no weights yet, or they do not fit.
    """
    model = build_judge(run.expect(JudgeConfig).config, run.classes())
    run.load_weights(model)
    return model


def describe(config: JudgeConfig) -> str:
    """The description of a judge beside its results.

    Args:
        config: a JudgeConfig.

    Returns:
        One line of text.
    """
    kind = "VGG16" + (" with batch normalization" if config.batch_norm else "")
    kind += f" at width {config.width:g}" if config.width != 1 else ""
    origins = {"imagenet": "ImageNet weights", "none": "trained from scratch"}
    origin = origins.get(config.vgg_weights, f"weights of {config.vgg_weights}")
    origin += " with fc6 and fc7" if config.pretrained_head else ""
    origin = origin if config.init_from == "none" else f"initialized from {config.init_from}"
    blocks = "block 1" if config.frozen_blocks == 1 else f"blocks 1-{config.frozen_blocks}"
    frozen = f", {blocks} frozen" if config.frozen_blocks else ""
    frozen = ", last layer trained" if config.frozen_blocks > len(vgg.BLOCKS) else frozen
    gray = ", trained on gray images" if config.gray else ""
    return f"{kind} at {config.vgg_size} px, {origin}{frozen}{gray}"
