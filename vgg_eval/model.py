"""VGG16 with a new head (the report's Figure 6)."""

from pathlib import Path

import keras
from keras import layers, ops

from colorization.runs import vgg16_weights, folder
from colorization.core.errors import InputError
from colorization.models import vgg16
from colorization.models.nine_blocks import penalty

from vgg_eval.config import CONFIGS


def vgg16(
    weights=None,
    image_size=224,
    num_classes=10,
    head_width=4096,
    width=1.0,
    batch_norm=False,
    frozen_blocks=0,
    l2=0.0,
):
    """VGG16's blocks 1 to 5, and block 6 from scratch: FC, FC, FC-10.

    The softmax of Figure 6 belongs to the loss and to the judging, which are stable from logits.

    Args:
        weights: of blocks 1 to 5: None (drawn at random), or a source that pretrained.load takes.
        image_size: side of the input, 32 or more.
        num_classes: units of the last layer.
        head_width: units of each hidden layer of block 6.
        width: multiplies the channels of blocks 1 to 5.
        batch_norm: batch normalization between convolutions and ReLUs.
        frozen_blocks: the first so many blocks are not trained.
        l2: weight of the sum of squared kernels that are trained, in the loss.

    Returns:
        keras.Model: (B, image_size, image_size, 3) float RGB in 0..255 -> (B, num_classes) float32 logits.

    Raises:
        InputError: the weights cannot be had, or do not fit.
    """
    rgb = keras.Input((image_size, image_size, 3), name="rgb")
    x = vgg16.blocks(rgb, width=width, batch_norm=batch_norm, frozen=frozen_blocks, l2=l2)
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc6", "fc7"):
        x = layers.Dense(head_width, activation="relu", kernel_regularizer=penalty(l2), name=name)(x)
    logits = layers.Dense(num_classes, kernel_regularizer=penalty(l2), name="fc8")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    model = keras.Model(rgb, logits, name="vgg16")
    vgg16_weights.load(weights or vgg16_weights.NONE, model.variables)
    return model


def build(settings, num_classes):
    """The judge of a JudgeConfig, before any weights are loaded."""
    return vgg16(
        image_size=settings.vgg_size,
        num_classes=num_classes,
        head_width=settings.head_width,
        width=settings.width,
        batch_norm=settings.batch_norm,
        frozen_blocks=settings.frozen_blocks,
        l2=settings.l2,
    )


def enlarged(rgb, size):
    """uint8 (B, H, W, 3) RGB as the judge takes it: float32 (B, size, size, 3), bilinear (report, 4.2)."""
    rgb = ops.cast(rgb, "float32")
    return rgb if rgb.shape[1:3] == (size, size) else ops.image.resize(rgb, (size, size), "bilinear")


def load(run_dir):
    """(JudgeConfig, judge with its best weights, class names) of a run folder.

    Raises:
        InputError: no judge's run folder, no weights in it yet, or weights that do not fit.
    """
    path = Path(run_dir) / folder.DATA
    settings, judge = folder.load_model(run_dir, CONFIGS, lambda settings: build(settings, len(_classes(path))))
    return settings, judge, _classes(path)


def _classes(path):
    """Names of the classes in data.json. Raises InputError."""
    classes = folder.read_json(path).get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes) or not classes:
        raise InputError(f"{path} is damaged: it names no classes.")
    return classes


def describe(settings):
    """What a judge is, in the words that stand beside its results."""
    kind = "VGG16" + (" with batch normalization" if settings.batch_norm else "")
    kind += f" at width {settings.width:g}" if settings.width != 1 else ""
    origins = {"imagenet": "ImageNet weights", "none": "trained from scratch"}
    origin = origins.get(settings.vgg_weights, f"weights of {settings.vgg_weights}")
    origin = origin if settings.start == "none" else f"trained on from {settings.start}"
    blocks = "block 1" if settings.frozen_blocks == 1 else f"blocks 1-{settings.frozen_blocks}"
    frozen = f", {blocks} frozen" if settings.frozen_blocks else ""
    gray = ", trained on gray images" if settings.gray else ""
    return f"{kind} at {settings.vgg_size} px, {origin}{frozen}{gray}"
