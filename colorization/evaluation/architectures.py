"""Figures 3 to 6 of the paper: architectures, drawn from the layers of Keras models."""

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import keras
from keras import layers
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon
from matplotlib.transforms import Bbox

_COLORS = {
    "input": "#dddddd",
    "convolutions": "#9dc3e6",
    "dilated convolutions": "#4f81bd",
    "transposed convolutions": "#92c9a0",
    "fully connected layers": "#cbb2dc",
    "output": "#f2b97d",
}
_SLANT = 0.3  # offset of the back of a box, relative to its height
_PITCH = 1.75  # distance of the blocks
_HIGHEST = 1.75  # greatest height of a box
_ARROW = {"arrowstyle": "->", "color": "0.3"}
_CAPTION = (
    'A ReLU follows every convolution. All paddings are "same". Stride (s) and dilation (d) are 1 by default.'
)


class Block(NamedTuple):
    """A block of a network.

    Attributes:
        name: "input", or "block N".
        kind: the kind of its layers, as the legend names it.
        words: its layers in the notation of Figure 4, such as conv3-s2-64.
        shape: shape of its output, (height, width, channels) or (units,).
    """

    name: str
    kind: str
    words: list[str]
    shape: tuple[int, ...]


def blocks(model: keras.Model, side: int) -> list[Block]:
    """The input and the blocks of a network.

    Args:
        model: a functional keras.Model, a chain of layers. The layers blockN_* form block N. The layers fc*
            form block 6 of VGG16. Other layers belong to no block.
        side: side of the square input, in pixels.

    Returns:
        List of Block: the input, then the blocks in the order of the layers. The last block has "sigmoid" or
        "softmax" among its words.
    """
    named = [(_block_name(layer), layer) for layer in model.layers]
    groups = itertools.groupby((pair for pair in named if pair[0]), key=lambda pair: pair[0])
    shape = (1, side, side, model.input_shape[-1])
    found = [Block("input", "input", [], shape[1:])]
    for name, pairs in groups:
        members = [layer for _, layer in pairs]
        output = keras.Model(model.input, members[-1].output).compute_output_shape(shape)
        found.append(Block(str(name), _kind(members), [w for w in map(_word, members) if w], output[1:]))
    if "sigmoid" not in found[-1].words:
        found[-1].words.append("softmax")  # the loss and the decodings apply it
    return found


def diagram(model: keras.Model, side: int, title: str, result: str) -> Figure:
    """Draw a network as a row of boxes, one for the output of each block: Figures 3, 5 and 6.

    Args:
        model: as in blocks.
        side: side of the square input, in pixels.
        title: title of the picture; the number of weights is added.
        result: a few words about the use of the output.

    Returns:
        matplotlib Figure.
    """
    drawn = blocks(model, side)
    figure = Figure(figsize=(1.45 * len(drawn) + 1.2, 4.2), layout="constrained")
    axes = figure.subplots()
    edge = None
    for i, block in enumerate(drawn):
        edge = _draw_block(axes, i * _PITCH, block, side, edge)
    end = len(drawn) * _PITCH
    axes.annotate("", (end - 0.45, 0), (edge, 0), arrowprops=_ARROW)
    axes.text(end - 0.4, 0, result, ha="left", va="center", fontsize=9)
    axes.set(xlim=(-0.9, end + 0.9), ylim=(-2.5, 2.1), aspect="equal")
    axes.set_axis_off()
    axes.set_title(f"{title}: {model.count_params() / 1e6:.1f} million weights")
    kinds = dict.fromkeys(block.kind for block in drawn)
    patches = [Patch(facecolor=_COLORS[kind], edgecolor="0.3", label=kind) for kind in kinds]
    legend = {"ncols": len(patches), "fontsize": 8, "title": _CAPTION, "title_fontsize": 8}
    figure.legend(handles=patches, loc="outside lower center", **legend)
    return figure


def table(models: Mapping[str, keras.Model], side: int, title: str) -> Figure:
    """Draw the layers of each block as a table: Figure 4.

    Args:
        models: {name: keras.Model}, see blocks. All need the same number of blocks. If the layers of
            a block differ, its cell shows those of each model.
        side: side of the square input, in pixels.
        title: title of the picture.

    Returns:
        matplotlib Figure.
    """
    found = {name: blocks(model, side)[1:] for name, model in models.items()}
    heads, cells = [], []
    for column in zip(*found.values(), strict=True):
        texts = {name: "\n".join(block.words) for name, block in zip(found, column, strict=True)}
        told = [f"{name}:\n{text}" for name, text in texts.items()]
        cells.append("\n\n".join(set(texts.values()) if len(set(texts.values())) == 1 else told))
        heads.append(column[0].name)
    figure = Figure(figsize=(1.45 * len(heads), 2.6), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    made = axes.table([cells], colLabels=heads, cellLoc="center", bbox=Bbox([[0, 0], [1, 1]]))
    made.auto_set_font_size(False)
    made.set_fontsize(8.5)
    for (row, _), cell in made.get_celld().items():
        cell.set_height(0.16 if row == 0 else 0.84)
        cell.set_edgecolor("0.4")
        if row == 0:
            cell.set_facecolor("#eeeeee")
    axes.set_title(f"{title}\n{_CAPTION}", fontsize=9)
    return figure


def _block_name(layer):
    """The block of a layer, such as "block 3", by its name; None for a layer that belongs to no block."""
    if re.fullmatch(r"fc\d(_dropout)?", layer.name):
        return "block 6"
    number = re.match(r"block(\d)_", layer.name)
    return f"block {number[1]}" if number else None


def _kind(members: Iterable[keras.Layer]) -> str:
    """The kind of a block's layers."""
    members = list(members)
    if any(isinstance(layer, layers.Conv2DTranspose) for layer in members):
        return "transposed convolutions"
    convolutions = [layer for layer in members if isinstance(layer, layers.Conv2D)]
    if any(max(layer.dilation_rate) > 1 for layer in convolutions):
        return "dilated convolutions"
    if any(layer.kernel_size != (1, 1) for layer in convolutions):
        return "convolutions"
    return "fully connected layers" if members[0].name.startswith("fc") else "output"


def _word(layer):
    """A layer in the notation of Figure 4; None for ReLUs, which the caption mentions, and for others."""
    if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose):
        kind = "deconv" if isinstance(layer, layers.Conv2DTranspose) else "conv"
        stride, dilation = layer.strides[0], layer.dilation_rate[0]
        word = f"{kind}{layer.kernel_size[0]}" + (f"-s{stride}" if stride > 1 else "")
        return word + (f"-d{dilation}" if dilation > 1 else "") + f"-{layer.filters}"
    if isinstance(layer, layers.Dense):
        return f"FC-{layer.units}" if layer.name.startswith("fc") else f"conv1-{layer.units}"
    if isinstance(layer, layers.BatchNormalization):
        return "BN"
    if isinstance(layer, layers.MaxPooling2D):
        return f"maxpool{layer.pool_size[0]}"
    if isinstance(layer, layers.Dropout):
        return f"dropout {layer.rate:g}"
    return "sigmoid" if getattr(layer, "activation", None) is keras.activations.sigmoid else None


def _draw_block(axes: Axes, x: float, block: Block, side: int, before: float | None) -> float:
    """Draw a box with its words, and an arrow from `before`. Returns the start of the next arrow.

    The height shows the size of the output, and the thickness its channels, both on logarithmic scales.
    """
    *spatial, channels = block.shape
    height = _HIGHEST * (math.log2(spatial[0]) + 1 if spatial else 4) / (math.log2(side) + 1)
    depth = height * _SLANT if spatial else 0.08
    thickness = 0.09 * math.log2(channels) + 0.05 if spatial else 0.12
    left, right, low, high = x - thickness / 2, x + thickness / 2, -height / 2, height / 2
    faces = {
        0: [(left, low), (right, low), (right, high), (left, high)],
        0.25: [(left, high), (right, high), (right + depth, high + depth), (left + depth, high + depth)],
        -0.15: [(right, low), (right + depth, low + depth), (right + depth, high + depth), (right, high)],
    }
    for shade, corners in faces.items():
        color = _shaded(_COLORS[block.kind], shade)
        axes.add_patch(Polygon(corners, facecolor=color, edgecolor="0.25", linewidth=0.7))
    if before is not None:
        axes.annotate("", (left - 0.02, 0), (before, 0), arrowprops=_ARROW)
    axes.text(x, 1.75, block.name, ha="center", fontsize=9, weight="bold")
    axes.text(x, -1.1, "×".join(map(str, block.shape)), ha="center", va="top", fontsize=8)
    axes.text(x, -1.4, "\n".join(_counted(block.words)), ha="center", va="top", fontsize=7.5, color="0.2")
    return right + depth + 0.04


def _counted(words):
    """Words in which equal neighbors are joined, as in "word ×3"."""
    runs = ((word, len(list(run))) for word, run in itertools.groupby(words))
    return [word if count == 1 else f"{word} ×{count}" for word, count in runs]


def _shaded(color, share):
    """The channels, 0..1, of a color #rrggbb that is mixed with white, or with black for a negative share."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    goal = 1 if share > 0 else 0
    return [value + abs(share) * (goal - value) for value in channels]
