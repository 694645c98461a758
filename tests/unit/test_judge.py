"""The judge: its network, its images, its opinion, and what it may not be asked."""

import dataclasses
import shutil

import numpy as np
import pytest
from keras import layers, ops
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import resize

from colorization import Colorizer, datasets
from colorization.cli import main as colorize
from colorization.core import bins
from colorization.core.errors import InputError
from colorization.datasets import loading
from colorization.evaluation import evaluate
from colorization.runs import RunFolder
from vgg_eval import columns, features, figure7, judge, model, temperatures, training
from vgg_eval.columns import COLUMNS
from vgg_eval.config import JudgeConfig

RGB = datasets.load("synthetic", train_limit=1, test_limit=30).test.images


def test_layers_are_those_of_figure_6():
    """Oracle: Figure 6's blocks and head, and the published number of VGG16's weights."""
    built = model.vgg16(frozen_blocks=5)
    convolutions = [layer.filters for layer in built.layers if isinstance(layer, layers.Conv2D)]
    assert convolutions == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    assert [layer.units for layer in built.layers if isinstance(layer, layers.Dense)] == [4096, 4096, 10]
    assert built.input_shape == (None, 224, 224, 3)
    with_thousand = model.vgg16(num_classes=1000)
    assert with_thousand.count_params() == 138_357_544
    trained = sum(np.prod(v.shape) for v in built.trainable_variables)
    assert trained == 25088 * 4096 + 4096 * 4097 + 4096 + 40970


def test_dropout_is_in_the_head():
    """Oracle: the layers by name."""
    built = model.build_judge(JudgeConfig(vgg_size=32, head_width=8, width=0.05, dropout=0.5), ["a", "b"])
    names = [layer.name for layer in built.layers if isinstance(layer, layers.Dropout)]
    assert names == ["fc6_dropout", "fc7_dropout"]


def test_the_defaults_are_the_reports():
    """Oracle: sections 3.2, 4.2 and 5.2."""
    config = JudgeConfig()
    assert (config.train_size, config.dev_size, config.test_size) == (10_000, 1_000, 1_000)
    assert (config.batch_size, config.dev_batch_size, config.epochs) == (128, 64, 20)
    assert (config.learning_rate, config.vgg_size, config.frozen_blocks) == (1e-4, 224, 5)
    assert (config.stratified, config.gray) == (True, False)
    assert model.describe(config) == "VGG16 at 224 px, ImageNet weights, blocks 1-5 frozen"


def test_images_are_enlarged_bilinearly():
    """Oracle: scikit-image's resize of order 1."""
    found = ops.convert_to_numpy(model.enlarged(RGB[:2], 224))
    assert (found.dtype, found.shape) == ("float32", (2, 224, 224, 3))
    for image, large in zip(RGB, found, strict=False):
        expected = resize(image.astype(float), (224, 224), order=1, mode="edge", anti_aliasing=False)
        np.testing.assert_allclose(large, expected, atol=1e-3)
    np.testing.assert_array_equal(model.enlarged(RGB[:2], 32), RGB[:2])


def test_gray_keeps_the_lightness():
    """Oracle: scikit-image's Lab, within the rounding to 8 bits."""
    gray = columns.gray(RGB)
    assert np.ptp(gray.astype(int), axis=-1).max() <= 1
    lab = rgb2lab(RGB)
    lab[..., 1:] = 0
    assert np.abs(lab2rgb(lab) * 255 - gray).max() < 1.1


@pytest.mark.parametrize("gray", [False, True])
def test_a_judges_task_shows_what_the_judge_will_see(gray):
    """Oracle: the images, made gray for the control, mirrored where asked, and enlarged; the labels stay."""
    config = JudgeConfig(vgg_size=48, gray=gray)
    images = datasets.Images(RGB, np.arange(30, dtype="int64"))
    arrays = training.JUDGE.arrays(config, images)
    flips = np.arange(30) % 2 == 1
    shown, labels = training.JUDGE.transform(config)(*arrays, flips)
    np.testing.assert_array_equal(labels, images.labels)
    expected = columns.gray(RGB) if gray else RGB.copy()
    expected[1::2] = expected[1::2, :, ::-1]
    np.testing.assert_allclose(shown, model.enlarged(expected, 48), atol=1e-3)


def test_a_judge_measures_its_accuracy_on_images_of_equal_numbers(old_run, used):
    """Oracle: its probabilities, counted here, in color and gray; version 0.1's own numbers."""
    run = RunFolder(old_run("vgg"))
    stored = run.metrics()["dev"]
    found = judge.evaluate(run.path)
    assert found == pytest.approx(stored)
    images, _ = run.images("dev")
    assert np.bincount(images.labels).max() == run.config.dev_size // 10
    asked = judge.load(run.path)
    for name, rgb in (("truth", images.images), ("gray", columns.gray(images.images))):
        right = asked.probabilities(rgb).argmax(axis=1) == images.labels
        assert found[name] == pytest.approx(right.mean())
    assert run.metrics()["dev"] == found
    np.testing.assert_allclose(asked.probabilities(RGB).sum(axis=1), 1, atol=1e-5)


def test_columns_are_the_colorizers_own_pictures(used):
    """Oracle: Colorizer, which reads the run on its own way."""
    for column in COLUMNS:
        pictures = columns.colorize(column, used.colorizers, RGB, 0.5)
        assert (pictures.dtype, pictures.shape) == ("uint8", RGB.shape)
        if column.colorizer:
            colorizer = Colorizer.load(used.colorizers[column.colorizer].path)
            given = {"temperature": 0.5} if column.decoding == "annealed" else {}
            expected = colorizer.colorize(RGB, decoding=column.decoding, **given)
            assert (np.abs(pictures.astype(int) - expected) > 1).mean() < 1e-3
    np.testing.assert_array_equal(pictures, RGB)


def test_the_sweep_agrees_with_the_evaluation(used, tmp_path):
    """Oracle: evaluate at the same temperature on the same dev split; asked a second time it is not computed."""
    asked, dev = judge.load(used.judge.path), figure7.shared_images(used, "dev")
    run = used.colorizers["classification"]
    rows = temperatures.sweep(asked, run, dev, tmp_path)
    assert [row["temperature"] for row in rows] == sorted(temperatures.TEMPERATURES)
    by_temperature = {row["temperature"]: row for row in rows}
    found = evaluate(run.path, "dev")["methods"]
    for temperature, name in ((0.0, "mode"), (bins.TEMPERATURE, "annealed"), (1.0, "mean")):
        assert by_temperature[temperature]["auc"] == pytest.approx(found[name]["auc"], abs=0.05)
        expected = found[name]["colorfulness"]
        assert by_temperature[temperature]["colorfulness"] == pytest.approx(expected, abs=0.2)
    (path,) = tmp_path.glob("temperatures-*.json")
    text = path.read_text()
    for damage in (
        "[]",
        "{}",
        "[1]",
        text.replace("auc", "cua"),
        text.replace("colorfulness", "x"),
        text[:50],
    ):
        path.write_text(damage)
        assert temperatures.sweep(asked, run, dev, tmp_path) == rows
        assert path.read_text() == text
    asked = asked._replace(model=None)
    assert temperatures.sweep(asked, run, dev, tmp_path) == rows
    rows[3]["accuracy"], rows[5]["accuracy"], rows[5]["auc"], rows[3]["auc"] = 2, 2, 90, 80
    assert temperatures.best(rows) == temperatures.TEMPERATURES[5]


def test_the_feature_distance_is_that_of_the_judges_blocks(used, monkeypatch):
    """Oracle: NumPy on the outputs of the judge's own layers, one after the other; the truth's are computed once."""
    asked = judge.load(used.judge.path)
    ((heading, distance),) = features.measure(used.judge.path).items()
    assert heading == "feature distance by vgg ↓"
    size, expected = asked.run.config.vgg_size, np.zeros(len(RGB))
    shown = [np.asarray(model.enlarged(rgb, size)) for rgb in (RGB, columns.gray(RGB))]
    for layer in asked.model.layers[1:]:
        shown = [np.asarray(layer(x, training=False)) for x in shown]
        if layer.name.endswith("_pool"):
            one, other = (x / np.maximum(np.sqrt((x**2).sum(-1, keepdims=True)), 1e-10) for x in shown)
            expected += ((one - other) ** 2).sum(-1).mean((1, 2)) / 5
    np.testing.assert_allclose(distance(RGB, columns.gray(RGB)), expected, rtol=1e-3, atol=1e-5)
    assert 0 < expected.max() < 2
    np.testing.assert_allclose(distance(RGB, RGB), 0, atol=1e-6)


def test_a_colorizer_is_measured_by_a_judge(used, capsys):
    """Oracle: the table has the column; the gray picture is as far as the judge's features say."""
    run = used.colorizers["regression"]
    assert colorize.main(["evaluate", str(run.path), "--judge", str(used.judge.path)]) == 0
    table = capsys.readouterr().out
    rgb, _ = run.images("dev")
    (distance,) = features.measure(used.judge.path).values()
    expected = distance(rgb.images, columns.gray(rgb.images)).mean()
    heads, _, gray, *_ = [line.split(" | ") for line in table.splitlines()[2:]]
    assert "feature distance by vgg ↓" in heads[-1]
    assert "CIEDE2000 ↓" in heads
    assert float(gray[-1].strip(" |")) == pytest.approx(expected, rel=0.05, abs=1e-3)
    assert colorize.main(["evaluate", str(run.path), "--judge", str(run.path)]) == 2


def test_damaged_opinions_are_asked_for_again(used, tmp_path, monkeypatch):
    """Oracle: the judge's own probabilities, and the number of times it is asked."""
    asked, shown = judge.load(used.judge.path), figure7.shared_images(used, "test")
    counts, probabilities = [], judge.Judge.probabilities
    monkeypatch.setattr(judge.Judge, "probabilities", lambda *a: counts.append(1) or probabilities(*a))

    def opinion():
        return judge.judged({"judge": asked}, columns.GRAYSCALE, used.colorizers, shown, 0.5, tmp_path)[
            "judge"
        ]

    expected = opinion()
    np.testing.assert_array_equal(expected, probabilities(asked, columns.gray(shown.rgb)))
    (part,) = tmp_path.glob("grayscale-*.npz")
    whole = part.read_bytes()
    for i, damage in enumerate((whole, whole[:100], b"", whole[:-300] + b"x" + whole[-299:])):
        part.write_bytes(damage)
        np.testing.assert_array_equal(opinion(), expected)
        assert len(counts) == 1 + i
        assert part.read_bytes() == whole


def test_runs_that_do_not_belong_together_are_refused(used, tmp_path):
    def copied(run, **changes):
        """A copy of a run whose splits are those of other settings."""
        path = shutil.copytree(run.path, tmp_path / f"{run.name}-{len(list(tmp_path.iterdir()))}")
        changed = dataclasses.replace(run.config, **changes)
        loading.split(changed, loading.load(run.config)).save(path / "splits.npz")
        return RunFolder(path)

    regression = copied(used.colorizers["regression"], split_seed=1)
    others = [used.colorizers["classification"], regression]
    with pytest.raises(InputError, match="have different splits"):
        judge.unseen_images(others, [], "test")
    other = copied(used.judge, split_seed=1)
    with pytest.raises(InputError, match=r"vgg-.* was trained on \d+% of the test images"):
        figure7.shared_images(used._replace(judge=other), "test")
    larger = RunFolder(other.path)  # trained at 64 pixels, but on the same images
    config = dataclasses.replace(larger.config, split_seed=1, image_size=64)
    for name in ("splits.npz", "data.json"):
        (larger.path / name).unlink()
    larger.write_config(config)
    dataset = larger.dataset()
    larger.write_data(loading.run_data(larger.config, dataset, loading.split(larger.config, dataset)))
    with pytest.raises(InputError, match=r"was trained on \d+% of the test images"):
        figure7.shared_images(used._replace(judge=larger), "test")
    (larger.path / "data.json").write_text("{}")
    with pytest.raises(InputError, match="it does not list the classes"):
        judge.load(larger.path)
    with pytest.raises(InputError, match=r"has the task 'judge', but (one of )?regression"):
        columns.colorize(COLUMNS[1], {"regression": used.judge}, RGB, 1.0)
    with pytest.raises(InputError, match="has the task 'regression', but one of judge"):
        judge.load(used.colorizers["regression"].path)
    with pytest.raises(InputError, match="is not a run folder"):
        figure7.figure7(used._replace(judge=RunFolder(tmp_path / "nowhere")), tmp_path)


def test_photographs_have_no_classes_to_tell_apart(tmp_path):
    """Oracle: the sentence; nothing is left."""
    config = JudgeConfig(data="a folder", vgg_size=32)
    with pytest.raises(
        InputError, match=r"has no classes, but a judge needs them\. Name a folder train/<class>/"
    ):
        training.JUDGE.build(config, ("photograph",))
