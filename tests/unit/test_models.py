"""colorization.models against the report's Figure 4, layer by layer."""

import re

import keras
import numpy as np
import pytest
from keras import layers
from skimage.color import lab2rgb
from skimage.transform import resize
from support.figure4 import FIGURE_4, SIDES

from colorization import models
from colorization.core.errors import InputError

BUILDERS = {"regression": (models.regression, 2), "classification": (models.classification, 313)}


def parse(word):
    """(layer class, kernel, stride, dilation, channels) of a word of Figure 4."""
    kind, kernel, stride, dilation, channels = re.fullmatch(
        r"(Conv|Deconv)(\d)(?:-s(\d))?(?:-d(\d))?-(\d+)", word
    ).groups("1")
    kind = {"Conv": layers.Conv2D, "Deconv": layers.Conv2DTranspose}[kind]
    return kind, int(kernel), int(stride), int(dilation), int(channels)


def build(name, **settings):
    """A model whose biases and batch normalizations lie off their start, so that few ReLUs die."""
    keras.utils.set_random_seed(0)
    model = BUILDERS[name][0](**settings)
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if len(variable.shape) == 1:
            variable.assign(rng.uniform(0.1, 1, variable.shape))
    return model


@pytest.mark.parametrize("width", [1.0, 0.25, 0.02])
@pytest.mark.parametrize("name", BUILDERS)
def test_layers_are_those_of_figure_4(name, width):
    """Oracle: the words of Figure 4, their channels times width; the momentum of the original code."""
    model = build(name, width=width)
    outputs = BUILDERS[name][1]
    start, scale, *walk, last, activation = model.layers
    assert isinstance(start, layers.InputLayer)
    assert isinstance(scale, layers.Rescaling)
    assert (scale.scale, scale.offset) == (1 / 100, 0)

    weights, before = 0, 1
    words = " ".join(FIGURE_4).split()
    assert len(walk) == len(words)
    for layer, word in zip(walk, words, strict=True):
        if word == "BN":
            assert type(layer) is layers.BatchNormalization
            assert layer.momentum == 0.9
            weights += 4 * before
            continue
        kind, kernel, stride, dilation, channels = parse(word)
        channels = round(channels * width)
        assert type(layer) is kind
        assert layer.kernel_size == (kernel, kernel)
        assert layer.strides == (stride, stride)
        assert layer.dilation_rate == (dilation, dilation)
        assert layer.filters == channels
        assert layer.padding == "same"
        assert layer.activation is keras.activations.relu
        assert layer.use_bias
        weights += (kernel**2 * before + 1) * channels
        before = channels

    assert type(last) is layers.Conv2D
    assert last.kernel_size == last.strides == last.dilation_rate == (1, 1)
    assert last.filters == outputs
    assert last.activation is keras.activations.linear
    assert activation.activation.__name__ == {"regression": "sigmoid", "classification": "linear"}[name]
    assert model.count_params() == weights + (before + 1) * outputs
    if width == 1 and name == "classification":
        assert f"{model.count_params() / 1e6:.1f}" == "33.2"

    # The order of the layers above is also the order of the data.
    for earlier, later in zip(model.layers[:-1], model.layers[1:], strict=True):
        assert later.input is earlier.output

    ends = np.cumsum([len(block.split()) for block in FIGURE_4]) - 1
    blocks = keras.Model(model.input, [walk[end].output for end in ends] + [model.output])
    shapes = blocks.compute_output_shape((1, 32, 32, 1))
    assert [shape[1:3] for shape in shapes] == [(side, side) for side in [*SIDES, 32]]
    if width == 1:
        assert tuple(shapes[6]) == (1, 4, 4, 512)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize(
    ("size", "expected"), [((32, 32), (32, 32)), ((40, 56), (40, 56)), ((33, 30), (40, 32))]
)
def test_any_size_comes_out_as_a_multiple_of_8(name, size, expected):
    """Oracle: the size itself, rounded up to the encoder's stride."""
    lightness = np.random.default_rng(0).uniform(0, 100, (2, *size, 1)).astype("float32")
    output = np.asarray(build(name, width=0.05)(lightness))
    assert output.shape == (2, *expected, BUILDERS[name][1])
    assert np.isfinite(output).all()
    assert output.std() > 0


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_outputs_are_float32_and_the_regressions_lie_in_0_to_1(policy):
    """Oracle: the sigmoid's range, reached at both ends; logits that sum to anything but 1."""
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 16, 16, 1)).astype("float32")
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        regression, classification = (build(name, width=0.05) for name in BUILDERS)
    finally:
        keras.config.set_dtype_policy(previous)
    bias = regression.get_layer("block9_conv").bias
    bias.assign([-200.0, 200.0])
    output = np.asarray(regression(lightness))
    assert output.dtype == "float32"
    assert output[..., 0].max() == 0
    assert output[..., 1].min() == 1
    logits = np.asarray(classification(lightness))
    assert logits.dtype == "float32"
    assert (logits < 0).any()


def test_output_follows_the_image():
    """Oracle: the receptive field: a far corner's output stays, one nearby changes; all padding is "same"."""
    model = build("regression", width=0.05)
    lightness = np.full((1, 512, 16, 1), 50, "float32")
    changed = lightness.copy()
    changed[0, :8] = 90
    difference = np.abs(np.asarray(model(changed)) - np.asarray(model(lightness)))[0].max(axis=(1, 2))
    assert difference[:8].max() > 0
    assert difference[-8:].max() == 0


@pytest.mark.parametrize("name", BUILDERS)
def test_penalty_is_lambda_times_the_squared_kernels(name):
    """Oracle: NumPy's sum over the kernels; biases and batch normalizations are not in it."""
    model = build(name, width=0.02, l2=0.03)
    kernels = [weight.astype("float64") for weight in model.get_weights() if weight.ndim > 1]
    assert len(kernels) == len(model.losses) == 23
    expected = 0.03 * sum(np.square(kernel).sum() for kernel in kernels)
    np.testing.assert_allclose(sum(float(loss) for loss in model.losses), expected, rtol=1e-5)
    assert build(name, width=0.02).losses == []


def test_transfer_is_the_reports():
    """Oracle: the report's section 4.1.2, with the original's convolutions, by size and number of weights."""
    model = models.transfer()
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    assert shapes["gray_rgb"] == (224, 224, 3)
    assert shapes["block5_pool"] == (7, 7, 512)
    assert shapes["block7_relu3"] == (7, 7, 512)
    assert shapes["block7_pool"] == (4, 4, 512)
    assert shapes["block8_deconv3"] == (32, 32, 256)
    assert model.output_shape == (None, 32, 32, 313)
    vgg = 14_714_688  # of VGG16 without its top, as keras.applications counts them
    middle = 3 * (9 * 512 * 512 + 512 + 2 * 512)
    decoder = 16 * 512 * 256 + 256 + 2 * (16 * 256 * 256 + 256) + 256 * 313 + 313
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == middle + decoder
    assert model.count_params() == vgg + middle + 3 * 2 * 512 + decoder
    with pytest.raises(InputError, match=r"give 1 x 1 features\. .* 4 x 4 .* Set vgg_size=128"):
        models.transfer(vgg_size=32)
    with pytest.raises(InputError, match="give 9 x 9 features"):
        models.transfer(image_size=64, vgg_size=288)


def test_transfer_shows_vgg16_the_gray_of_that_lightness():
    """Oracle: scikit-image's Lab to RGB, and its bilinear resize; and called plainly, nothing is trained."""
    model = models.transfer(width=0.02, vgg_size=64, vgg_blocks=4, vgg_width=0.02)
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 32, 32, 1)).astype("float32")
    before = model.get_weights()
    shown = np.asarray(keras.Model(model.input, model.get_layer("gray_rgb").output)(lightness))
    model(lightness)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    for plane, rgb in zip(lightness, shown, strict=True):
        gray = 255 * lab2rgb(np.concatenate([plane, plane * 0, plane * 0], axis=-1))
        expected = resize(gray, (64, 64), order=1, mode="edge", anti_aliasing=False)
        np.testing.assert_allclose(rgb, expected, atol=0.05)


@pytest.mark.parametrize(
    ("name", "blocks"), [("regression", [4, 5, 6, 7]), ("classification", [4, 5, 6, 7]), ("transfer", [7])]
)
def test_dropout_follows_the_deep_blocks_and_works_in_training_alone(name, blocks):
    """Oracle: the layers' names, rates and places; the same weights as without, by name and shape; outputs
    that differ from call to call in training, and are those of the model without dropout otherwise."""
    make = {**{name: build for name, (build, _) in BUILDERS.items()}, "transfer": models.transfer}[name]
    settings = {"width": 0.05} | (
        {"vgg_size": 32, "vgg_blocks": 3, "vgg_width": 0.05} if name == "transfer" else {}
    )
    with_dropout, without = make(dropout=0.4, **settings), make(**settings)
    found = [layer for layer in with_dropout.layers if isinstance(layer, layers.Dropout)]
    assert [layer.name for layer in found] == [f"block{b}_dropout" for b in blocks]
    assert {layer.rate for layer in found} == {0.4}
    for layer in found:
        before = {"transfer": "block7_relu3"}.get(name, layer.name.replace("dropout", "bn"))
        assert layer.input is with_dropout.get_layer(before).output
    shapes = [{v.path: tuple(v.shape) for v in model.weights} for model in (with_dropout, without)]
    assert shapes[0] == shapes[1]
    without.set_weights(with_dropout.get_weights())
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 32, 32, 1)).astype("float32")
    plain = np.asarray(with_dropout(lightness, training=False))
    np.testing.assert_array_equal(plain, np.asarray(without(lightness, training=False)))
    one, other = (np.asarray(with_dropout(lightness, training=True)) for _ in range(2))
    assert (one != other).any()
