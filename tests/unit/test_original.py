"""The variants `original` against the paper's code, in small references written here: TensorFlow 1 graphs and NumPy.

docs/method.md has a table of the differences between the paper and its code; each row names a test.
"""

import dataclasses
import re
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.color import lab2rgb
from skimage.transform import resize

from colorization.core import bins
from colorization.core.bin_centers import CENTERS
from colorization.core.config import override
from colorization.core.errors import InputError
from colorization.models import tasks, vgg16
from colorization.runs import session, vgg16_weights
from colorization.runs.history import best_row
from colorization.training import train, trainer
from colorization.training.variants import CLASSIFICATION, REGRESSION, TRANSFER
from vgg_eval import model as judge_model
from vgg_eval.training import JUDGE as JUDGE_TASK
from vgg_eval.variants import JUDGE

tf1 = tf.compat.v1
RNG = np.random.default_rng(0)
LAMBDA = 0.01
SMALL = {"width": 0.03, "precision": "float32"}
SMALL_VGG = {"vgg_size": 32, "vgg_width": 0.05, "vgg_blocks": 3, "frozen_blocks": 0}
METHOD = Path(__file__).parents[2] / "docs" / "method.md"


def small(variants, **changes):
    """The variant `original`, narrow."""
    return dataclasses.replace(variants["original"], **SMALL, **changes)


def built(config, classes=()):
    """(Task, model) of a config, with biases and batch normalizations off their start, so that few ReLUs die."""
    task = JUDGE_TASK if config.task == "judge" else tasks.TASKS[config.task]
    keras.utils.set_random_seed(0)
    network = task.build(config, classes)
    for variable in network.variables:
        if len(variable.shape) == 1:
            variable.assign(np.random.default_rng(len(variable.path)).uniform(0.1, 1, variable.shape))
    return task, network


def images(count=3, side=16):
    """Lightness and ab, with no color near a tie between bins."""
    lightness = RNG.uniform(0, 100, (count, side, side, 1)).astype("float32")
    ab = RNG.integers(-60 * 8, 60 * 8, (count, side, side, 2)) / 8 + (1 / 64, 1 / 8192)
    return lightness, ab.astype("float32")


def hard_bins(ab):
    """The nearest bin of each pixel, by brute force."""
    return np.square(ab[..., None, :] - CENTERS).sum(-1).argmin(-1)


def keras_step(task, config, network, inputs, target):
    """(output, loss with its penalty, {path: gradient}) of a training step of this project."""
    loss = task.loss(config, None)
    with tf.GradientTape() as tape:
        output = network(inputs, training=True)
        total = tf.reduce_mean(loss(target, output)) + sum(network.losses)
    gradients = tape.gradient(total, [variable.value for variable in network.trainable_variables])
    paths = [variable.path for variable in network.trainable_variables]
    return np.asarray(output), float(total), dict(zip(paths, map(np.asarray, gradients), strict=True))


def graph_step(build, weights, trained, feed):
    """The same of a TensorFlow 1 graph: build(variables, placeholders) -> (output, loss)."""
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = {path: tf1.get_variable(path, initializer=array) for path, array in weights.items()}
        placeholders = {name: tf1.placeholder(array.dtype, array.shape) for name, array in feed.items()}
        output, loss = build(variables, placeholders)
        gradients = tf1.gradients(loss, [variables[path] for path in trained])
        session.run(tf1.global_variables_initializer())
        found = session.run(
            [output, loss, gradients], {placeholders[name]: array for name, array in feed.items()}
        )
    return found[0], float(found[1]), dict(zip(trained, found[2], strict=True))


def normalized(x, layer, variables):
    """tf.layers.batch_normalization of a training step."""
    mean, variance = tf1.nn.moments(x, [0, 1, 2])
    gamma, beta = variables[f"{layer}/gamma"], variables[f"{layer}/beta"]
    return tf1.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)


def convolved(x, layer, variables, stride=1, dilation=1):
    kernel, bias = variables[f"{layer}/kernel"], variables[f"{layer}/bias"]
    return (
        tf1.nn.conv2d(x, kernel, [1, stride, stride, 1], "SAME", dilations=[1, dilation, dilation, 1]) + bias
    )


def decoded(x, variables):
    """Blocks 8 and 9: three transposed convolutions of stride 2 with ReLUs, and the 1x1 convolution."""
    for i in (1, 2, 3):
        kernel, bias = variables[f"block8_deconv{i}/kernel"], variables[f"block8_deconv{i}/bias"]
        count, height, width, _ = x.shape.as_list()
        shape = [count, 2 * height, 2 * width, kernel.shape[2]]
        x = tf1.nn.relu(tf1.nn.conv2d_transpose(x, kernel, shape, [1, 2, 2, 1], "SAME") + bias)
    (kernel,) = (value for path, value in variables.items() if re.match("block9.*/kernel", path))
    (bias,) = (value for path, value in variables.items() if re.match("block9.*/bias", path))
    return tf1.nn.conv2d(x, tf1.reshape(kernel, (1, 1, *kernel.shape[-2:])), [1, 1, 1, 1], "SAME") + bias


def nine_blocks(lightness, variables):
    """conv -> ReLU, a batch normalization at the end of blocks 1 to 7; the strides and dilations of the code."""
    x = lightness / 100.0
    strides = [[1, 2], [1, 2], [1, 1, 2], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]
    for b, (block, dilation) in enumerate(zip(strides, [1, 1, 1, 1, 2, 2, 1], strict=True), 1):
        for i, stride in enumerate(block, 1):
            x = tf1.nn.relu(convolved(x, f"block{b}_conv{i}", variables, stride, dilation))
        x = normalized(x, f"block{b}_bn", variables)
    return decoded(x, variables)


def penalty(variables, factor=LAMBDA):
    """tf.contrib.layers.l2_regularizer(lambda) of every kernel: lambda * tf.nn.l2_loss, half of the sum."""
    return factor * sum(tf1.nn.l2_loss(v) for path, v in variables.items() if path.endswith("kernel"))


def compare(found, expected):
    """Outputs, losses and gradients of the two."""
    np.testing.assert_allclose(found[0], expected[0], rtol=2e-3, atol=2e-4)
    assert found[1] == pytest.approx(expected[1], rel=1e-4)
    assert found[2].keys() == expected[2].keys()
    for path, gradient in expected[2].items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(
            found[2][path], gradient, rtol=2e-2, atol=5e-3 * scale + 1e-8, err_msg=path
        )


def weights_of(network):
    return {variable.path: np.asarray(variable) for variable in network.variables}


@pytest.mark.parametrize("l2", [0.0, LAMBDA])
def test_a_step_of_the_regression_is_that_of_the_code(l2):
    """Oracle: the whole network as a TensorFlow 1 graph: tf.losses.mean_squared_error, which is half the squared
    distance, mean over pixels; the penalty lambda / 2 times the sum of squares; all gradients."""
    config = small(REGRESSION, l2=l2)
    assert config.half_l2
    task, network = built(config)
    lightness, ab = images()

    def build(variables, given):
        output = tf1.sigmoid(nine_blocks(given["lightness"], variables))
        loss = tf1.losses.mean_squared_error((given["ab"] + 128) / 255.0, output)
        return output, loss + penalty(variables, l2)

    found = keras_step(task, config, network, lightness, ab)
    feed = {"lightness": lightness, "ab": ab}
    compare(found, graph_step(build, weights_of(network), list(found[2]), feed))


@pytest.mark.parametrize("l2", [0.0, LAMBDA])
def test_a_step_of_the_classification_is_that_of_the_code(l2):
    """Oracle: the whole network as a TensorFlow 1 graph: tf.losses.sparse_softmax_cross_entropy with the nearest
    bins by brute force, mean over pixels; the penalty lambda / 2 times the sum of squares; all gradients."""
    config = small(CLASSIFICATION, l2=l2)
    task, network = built(config)
    lightness, ab = images()

    def build(variables, given):
        output = nine_blocks(given["lightness"], variables)
        loss = tf1.losses.sparse_softmax_cross_entropy(given["bins"], output)
        return output, loss + penalty(variables, l2)

    found = keras_step(task, config, network, lightness, ab)
    feed = {"lightness": lightness, "bins": hard_bins(ab)}
    compare(found, graph_step(build, weights_of(network), list(found[2]), feed))


def test_a_step_of_the_transfer_is_that_of_the_code():
    """Oracle: a TensorFlow 1 graph from scikit-image's gray RGB on 0 to 1: no mean subtracted, VGG16's blocks, three
    times conv -> ReLU -> BN, pooling; all gradients, with the penalty of the kernels."""
    config = small(TRANSFER, l2=LAMBDA, **SMALL_VGG)
    task, network = built(config)
    lightness, ab = images(2, 32)
    lab = np.concatenate([lightness, np.zeros((*lightness.shape[:3], 2))], axis=-1)
    enlarged = [resize(lab2rgb(each), (32, 32), order=1, mode="edge", anti_aliasing=False) for each in lab]
    rgb = np.array(enlarged, "float32")

    def build(variables, given):
        x = given["rgb"]
        for b, (_, count) in enumerate(vgg16.BLOCKS[: config.vgg_blocks], 1):
            for i in range(1, count + 1):
                x = tf1.nn.relu(convolved(x, f"block{b}_conv{i}", variables))
            x = tf1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        for i in (1, 2, 3):
            x = tf1.nn.relu(convolved(x, f"block7_conv{i}", variables))
            x = normalized(x, f"block7_bn{i}", variables)
        output = decoded(x, variables)
        return output, tf1.losses.sparse_softmax_cross_entropy(given["bins"], output) + penalty(variables)

    found = keras_step(task, config, network, lightness, ab)
    feed = {"rgb": rgb, "bins": hard_bins(ab)}
    compare(found, graph_step(build, weights_of(network), list(found[2]), feed))


def test_the_gray_rgb_of_the_transfer_is_on_0_to_1():
    """Oracle: scikit-image's gray of the lightness, resized; the same less the mean RGB by default."""
    lightness, _ = images(1, 32)
    lab = np.concatenate([lightness[0], np.zeros((32, 32, 2))], axis=-1)
    gray = resize(lab2rgb(lab), (32, 32), order=1, mode="edge", anti_aliasing=False)
    for changes, expected in (
        ({}, gray),
        ({"rgb_range": "0-255", "subtract_mean": True}, 255 * gray - vgg16.MEAN_RGB),
    ):
        network = built(small(TRANSFER, **SMALL_VGG, **changes))[1]
        shown = keras.Model(network.input, network.get_layer("subtract_mean").output)
        np.testing.assert_allclose(
            np.asarray(shown(lightness))[0], expected, rtol=1e-3, atol=2e-4 * expected.max()
        )


def test_pixel_accuracy_is_that_of_the_code():
    """Oracle: NumPy: the mean of equal hard bins, of an untrained network's logits and of the bins themselves."""
    lightness, ab = images()
    config = small(CLASSIFICATION)
    task, network = built(config)
    (accuracy,) = task.metrics(config)
    logits = np.array(network(lightness))
    logits[:2] = np.eye(bins.COUNT)[hard_bins(ab[:2])]
    expected = np.mean(logits.argmax(-1) == hard_bins(ab))
    assert expected > 0.6
    assert np.mean(accuracy(ab, logits)) == pytest.approx(expected)
    assert task.metrics(CLASSIFICATION["paper"]) == ()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the variant original of the classification, tiny, whose best epoch is not the last."""
    synthetic = {"data": "synthetic", "train_size": 40, "dev_size": 8, "test_size": 8, "image_size": 16}
    config = small(CLASSIFICATION, **synthetic, epochs=3, batch_size=8, learning_rate=0.01)
    return train(config, tmp_path_factory.mktemp("original") / "run")


def test_the_best_epoch_by_pixel_accuracy_is_recorded(trained):
    """Oracle: the highest dev accuracy in history.csv, found by NumPy; the file of the best weights names it."""
    accuracies = [row["val_pixel_accuracy"] for row in trained.history()]
    assert np.argmax(accuracies) == 1
    with h5py.File(trained.path / "best.weights.h5") as file:
        assert file.attrs["epoch"] == np.argmax(accuracies) + 1


def test_predictions_use_the_last_weights(trained, tmp_path):
    """Oracle: the two files, read by h5py: with predict_by=best the other one's; the metrics of other weights go."""

    def kernel(name):
        with h5py.File(trained.path / name) as file:
            return file["model/block1_conv1/kernel"][()]

    assert (kernel("best.weights.h5") != kernel("last.weights.h5")).any()
    by_last = trained.model_fingerprint()
    np.testing.assert_array_equal(trained.weights()["block1_conv1/kernel"], kernel("last.weights.h5"))
    trained.write_metrics({"dev": {"of": "the last weights"}})
    run = train(dataclasses.replace(trained.config, predict_by="best"), trained.path, resume=True)
    np.testing.assert_array_equal(run.weights()["block1_conv1/kernel"], kernel("best.weights.h5"))
    assert run.metrics() == {}
    assert run.model_fingerprint() != by_last
    train(trained.config, trained.path, resume=True)


def test_the_best_epoch_of_a_judge_is_that_of_the_highest_accuracy():
    """Oracle: a history written here; the least loss is in another epoch. The first of equals is the best."""
    rows = [(1, 0.5, 0.6), (2, 0.4, 0.7), (3, 0.3, 0.7), (4, 0.2, 0.65)]
    history = [{"epoch": n, "val_loss": loss, "val_accuracy": accuracy} for n, loss, accuracy in rows]
    assert best_row(history, JUDGE["original"].best_by)["epoch"] == 2
    assert best_row(history, JUDGE["paper"].best_by)["epoch"] == 4


def test_a_regression_has_no_pixel_accuracy():
    """Oracle: the sentence; its best epoch is that of the least loss."""
    assert REGRESSION["original"].best_by == "loss"
    with pytest.raises(InputError, match=r"best_by must be one of loss, received 'pixel_accuracy'"):
        dataclasses.replace(REGRESSION["original"], best_by="pixel_accuracy")


def test_the_annealed_mean_of_the_code():
    """Oracle: NumPy's mean of the bins' centers at T = 0.32, the largest logit subtracted."""
    config = CLASSIFICATION["original"]
    logits = RNG.normal(scale=5, size=(2, 3, 4, bins.COUNT)).astype("float32")
    scaled = logits.astype("float64") / 0.32
    weights = np.exp(scaled - scaled.max(-1, keepdims=True))
    expected = (weights / weights.sum(-1, keepdims=True)) @ CENTERS
    task = tasks.TASKS["classification"]
    found = task.decodings["annealed"](logits, task.temperature(config))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("variants", [REGRESSION, CLASSIFICATION])
def test_the_optimizer_is_that_of_the_code(variants, tmp_path):
    """Oracle: two steps of TensorFlow 1's Adam at a rate of 0.001, for gradients as small as its epsilon. The rate
    is the same at the end of the training."""
    config = dataclasses.replace(small(variants), data="synthetic", train_size=8, dev_size=4, test_size=4)
    run = session.open_run(config, tmp_path / "run")
    network = trainer.build(tasks.of(config), run.data(), run).trained
    variable = network.get_layer("block1_conv1").kernel
    gradients = RNG.normal(scale=1e-7, size=(2, *variable.shape)).astype("float32")
    start = np.array(variable)
    with tf.Graph().as_default(), tf1.Session() as session_of_tf1:
        expected = tf1.Variable(start)
        fed = tf1.placeholder("float32")
        step = tf1.train.AdamOptimizer(0.001).apply_gradients([(fed, expected)])
        session_of_tf1.run(tf1.global_variables_initializer())
        for gradient in gradients:
            session_of_tf1.run(step, {fed: gradient})
        value = session_of_tf1.run(expected)
    for gradient in gradients:
        others = [
            gradient if v is variable else np.zeros(v.shape, "float32") for v in network.trainable_variables
        ]
        network.optimizer.apply(others, network.trainable_variables)
    np.testing.assert_allclose(variable, value, rtol=1e-5, atol=1e-6)
    network.optimizer.iterations.assign(20 * 391)
    assert float(network.optimizer.learning_rate) == pytest.approx(1e-3)


@pytest.mark.parametrize("variants", [REGRESSION, CLASSIFICATION, TRANSFER, JUDGE])
def test_the_epochs_are_those_of_the_code(variants):
    """Oracle: num_epochs of the parameter files."""
    assert variants["original"].epochs == 20


def test_the_same_lambda_weighs_512_times_more_in_the_code():
    """Oracle: 1,024 pixels: the paper's loss of an image of 32 x 32 is 1,024 times the code's at lambda / 512."""
    lightness, ab = images(2, 32)
    steps = []
    for config in (
        dataclasses.replace(CLASSIFICATION["paper"], **SMALL, neighbors=1),
        small(CLASSIFICATION, l2=LAMBDA / 512),
    ):
        assert config.l2 > 0
        task, network = built(config)
        steps.append(keras_step(task, config, network, lightness, ab))
    assert steps[0][1] == pytest.approx(1024 * steps[1][1], rel=1e-5)
    for path, gradient in steps[1][2].items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(
            steps[0][2][path] / 1024, gradient, rtol=1e-3, atol=1e-4 * scale, err_msg=path
        )


EXPERIMENTS = {
    "regression": REGRESSION,
    "classification": CLASSIFICATION,
    "transfer": TRANSFER,
    "judge": JUDGE,
}


def test_the_table_of_differences_is_that_of_the_variants():
    """Oracle: the table of docs/method.md: every value is the variant's own, and every test exists."""
    table = METHOD.read_text(encoding="utf-8").partition("## The paper and its code")[2].partition("###")[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    heads, _, *rows = lines
    assert heads == ["difference", "paper", "original code", "`paper`", "`original`", "`small`", "test"]
    differing = set()
    for row in rows:
        named = re.search(r"\(([a-z, ]+)\)$", row[0])[1].split(", ")
        assert row[6].strip("`") in globals(), row
        for variant, cell in zip(("paper", "original", "small"), row[3:6], strict=True):
            for assignment in re.findall(r"`([^`]+)`", cell):
                differing |= {(name, assignment.partition("=")[0]) for name in named}
                for name in named:
                    config = EXPERIMENTS[name][variant]
                    assert override(config, [assignment]) == config, (row[0], name, variant)
    for name, variants in EXPERIMENTS.items():
        paper, original = variants["paper"], variants["original"]
        changed = {
            f.name for f in dataclasses.fields(paper) if getattr(paper, f.name) != getattr(original, f.name)
        }
        assert changed <= {setting for experiment, setting in differing if experiment == name}


SIDE, UNITS = 32, 24


def with_top(path, blocks=vgg16.BLOCKS, width=0.05, top=True):
    """A file in the layout of Keras Applications' VGG16 "with top", narrow; returns {layer: (kernel, bias)}."""
    arrays, before = {}, 3
    for b, (channels, count) in enumerate(blocks, 1):
        for i in range(1, count + 1):
            after = max(1, round(channels * width))
            kernel = RNG.normal(scale=(2 / (9 * before)) ** 0.5, size=(3, 3, before, after))
            arrays[f"block{b}_conv{i}"], before = (kernel, RNG.uniform(0, 0.1, after)), after
    if top:
        for name, units in {"fc1": UNITS, "fc2": UNITS, "predictions": 1000}.items():
            kernel = RNG.normal(scale=(2 / before) ** 0.5, size=(before, units))
            arrays[name], before = (kernel, RNG.uniform(0, 0.1, units)), units
    with h5py.File(path, "w") as file:
        for layer, pair in arrays.items():
            for name, array in zip(("W_1:0", "b_1:0"), pair, strict=True):
                file[f"{layer}/{layer}_{name}"] = array.astype("float32")
    return {layer: tuple(array.astype("float32") for array in pair) for layer, pair in arrays.items()}


@pytest.mark.parametrize("variant", ["original", "original-all"])
def test_a_step_of_the_judge_is_that_of_the_code(variant, tmp_path):
    """Oracle: a TensorFlow 1 graph on the arrays of the file: blocks 1 to 5, fc6, fc7 and a new last layer; the
    gradients of the last layer alone, or of all."""
    written = with_top(tmp_path / "top.h5")
    config = dataclasses.replace(JUDGE[variant], **SMALL | {"width": 0.05}, vgg_size=SIDE, head_width=UNITS)
    task, network = built(config, ("cat", "dog", "ship"))
    vgg16_weights.load(str(tmp_path / "top.h5"), network.variables, task.pretrained(config)[1])
    rgb = RNG.uniform(0, 255, (4, SIDE, SIDE, 3)).astype("float32")
    labels = np.array([0, 2, 1, 1])

    def build(variables, given):
        x = given["rgb"] - np.float32(vgg16.MEAN_RGB)
        for b, (_, count) in enumerate(vgg16.BLOCKS, 1):
            for i in range(1, count + 1):
                x = tf1.nn.relu(convolved(x, f"block{b}_conv{i}", variables))
            x = tf1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        x = tf1.reshape(x, (4, -1))
        for layer in ("fc6", "fc7"):
            x = tf1.nn.relu(x @ variables[f"{layer}/kernel"] + variables[f"{layer}/bias"])
        output = x @ variables["fc8/kernel"] + variables["fc8/bias"]
        return output, tf1.losses.sparse_softmax_cross_entropy(given["labels"], output)

    names = {"fc1": "fc6", "fc2": "fc7"}
    weights = weights_of(network)
    for layer, (kernel, bias) in written.items():
        if layer != "predictions":
            kernel = kernel[:, :, ::-1] if layer == "block1_conv1" else kernel  # the file's input is BGR
            weights |= {f"{names.get(layer, layer)}/kernel": kernel, f"{names.get(layer, layer)}/bias": bias}
    found = keras_step(task, config, network, rgb, labels)
    layers = {path.split("/")[0] for path in found[2]}
    assert layers == ({"fc8"} if variant == "original" else {path.split("/")[0] for path in weights})
    compare(found, graph_step(build, weights, list(found[2]), {"rgb": rgb, "labels": labels}))


def test_hidden_layers_are_those_of_keras_applications(tmp_path):
    """Oracle: fc2 of keras.applications' own VGG16 "with top", at 32 pixels, with its own preprocessing."""
    keras.utils.set_random_seed(0)
    whole = keras.applications.VGG16(weights=None, include_top=True, input_shape=(32, 32, 3))
    for variable in whole.variables:
        if len(variable.shape) == 1:
            variable.assign(RNG.uniform(0, 1, variable.shape))
    whole.save(tmp_path / "with_top.h5")
    judge = judge_model.vgg16(image_size=32)
    vgg16_weights.load(str(tmp_path / "with_top.h5"), judge.variables, True)
    rgb = RNG.integers(0, 256, (2, 32, 32, 3)).astype("float32")
    hidden = keras.Model(whole.input, whole.get_layer("fc2").output)
    expected = hidden.predict_on_batch(keras.applications.vgg16.preprocess_input(rgb.copy()))
    found = keras.Model(judge.input, judge.get_layer("fc7").output).predict_on_batch(rgb)
    assert expected.std() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


def test_a_file_without_the_hidden_layers_is_refused(tmp_path):
    """Oracle: the sentence; nothing is changed. The same file is enough where only the blocks are loaded."""
    with_top(tmp_path / "notop.h5", top=False)
    config = dataclasses.replace(JUDGE["original"], width=0.05, vgg_size=SIDE, head_width=UNITS)
    network = built(config, ("cat", "dog"))[1]
    before = network.get_weights()
    with pytest.raises(InputError, match=r'no hidden layers fc6 and fc7 .*\. Name a file "with top"'):
        vgg16_weights.load(str(tmp_path / "notop.h5"), network.variables, True)
    for now, then in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    vgg16_weights.load(str(tmp_path / "notop.h5"), network.variables)
    with pytest.raises(InputError, match="frozen_blocks=6 needs pretrained hidden layers"):
        dataclasses.replace(config, pretrained_head=False).refuse_frozen_noise()
    with pytest.raises(InputError, match="pretrained_head=true needs weights"):
        dataclasses.replace(config, vgg_weights="none", frozen_blocks=0).refuse_frozen_noise()
    described = judge_model.describe(JUDGE["original"])
    assert described == "VGG16 at 224 px, ImageNet weights with fc6 and fc7, last layer trained"
