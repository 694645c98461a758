"""The report's pictures: what they show, against the runs and the data themselves."""

import dataclasses

import cv2
import numpy as np
import pytest
from skimage import data

from colorization import Colorizer
from colorization.core import bins, image_grid
from colorization.core.errors import InputError
from colorization.datasets import loading
from colorization.evaluation import figures
from colorization.runs import RunFolder, resolve


@pytest.fixture
def runs(old_runs):
    return [RunFolder(old_runs[task]) for task in ("regression", "classification", "transfer")]


@pytest.fixture
def shown(monkeypatch):
    """The (rows, labels) of every grid that is drawn from now on."""
    found, draw = [], image_grid.labeled
    monkeypatch.setattr(
        figures,
        "labeled",
        lambda rows, labels: found.append((list(rows), list(labels))) or draw(rows, labels),
    )
    return found


def test_samples_are_training_images_of_each_class(runs, shown):
    """Oracle: each row's images are among those of its class; the seed chooses others."""
    dataset = loading.load(runs[0].config)
    for seed in (0, 1):
        figures.samples(dataset, seed, columns=3)
    (rows, labels), (others, _) = shown
    assert labels == list(dataset.classes)
    for label, row in enumerate(rows):
        known = {image.tobytes() for image in dataset.train.images[dataset.train.labels == label]}
        assert len(row) == min(3, len(known))
        assert {image.tobytes() for image in row} <= known
    assert any(one.tobytes() != other.tobytes() for one, other in zip(rows, others, strict=True))


def test_bins_stand_at_their_centers_with_their_density(runs):
    """Oracle: the centers, b to the right and a down; the logarithm of the shares; the true color of a bin."""
    prior = runs[0].color_prior()
    left, right, _ = figures.bins_in_ab(prior).axes
    for axes, number in ((left, 0), (right, 1)):
        np.testing.assert_allclose(axes.collections[number].get_offsets(), bins.CENTERS[:, ::-1])
    share = prior.bin_counts / prior.bin_counts.sum()
    drawn = right.collections[1].get_array()
    seen = prior.bin_counts > 0
    np.testing.assert_allclose(drawn[seen], np.log10(share[seen]), rtol=1e-6)
    assert np.ma.getmaskarray(np.ma.masked_invalid(drawn))[~seen].all()
    low, high = left.get_ylim()
    assert low > high
    red = left.collections[0].get_facecolors()[np.abs(bins.CENTERS - (60, 40)).sum(-1).argmin()]
    assert red[0] > red[1] + 0.2


def test_the_grid_shows_what_colorizer_makes(shown):
    """Oracle: Colorizer, of presets; where there are several of a task the folders' names tell them apart."""
    found = [
        RunFolder(resolve.preset_folder(name))
        for name in ("cifar10-regression", "cifar10-classification", "photos")
    ]
    rgb = data.coffee()[None, :32, :32]
    figures.grid(found, rgb)
    ((rows, labels),) = shown
    decodings = ("annealed", "mean", "mode")
    expected = ["gray", "regression"]
    expected += [
        f"{name}:\n{decoding}" for name in ("cifar10-classification", "photos") for decoding in decodings
    ]
    assert labels == [*expected, "truth"]
    np.testing.assert_array_equal(rows[-1], rgb)
    assert np.ptp(rows[0].astype(int), axis=-1).max() <= 1
    for row, preset, decoding in (
        (1, "cifar10-regression", None),
        (2, "cifar10-classification", "annealed"),
        (7, "photos", "mode"),
    ):
        colored = Colorizer.from_preset(preset).colorize(rgb, decoding=decoding).astype(int)
        assert (np.abs(rows[row] - colored) > 1).mean() < 1e-3


def test_curves_are_the_history(runs):
    """Oracle: the rows of history.csv; the best epoch is the one of the least dev loss."""
    figure = figures.curves(runs[:2])
    for axes, run in zip(figure.axes, runs, strict=False):
        history = run.history()
        training, dev, best = axes.lines
        for line, name in ((training, "loss"), (dev, "val_loss")):
            np.testing.assert_allclose(line.get_xydata(), [(row["epoch"], row[name]) for row in history])
        least = min(history, key=lambda row: row["val_loss"])
        np.testing.assert_allclose(best.get_xydata(), [(least["epoch"], least["val_loss"])])
        assert axes.get_title() == run.config.task


def test_curves_of_one_loss_share_its_axis(runs):
    """Oracle: limits that change together. Classification and transfer have the same loss."""
    regression, classification, transfer = runs
    drawn = figures.curves([classification, regression, transfer]).axes
    drawn[0].set_ylim(1, 2)
    assert [axes.get_ylim() == (1, 2) for axes in drawn] == [True, False, True]


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({"l2": 0.1}, False),
        ({"rebalance": False}, False),
        ({"rebalance_mix": 0.7}, False),
        ({"rebalance": False, "rebalance_mix": 0.7}, True),
        ({"epochs": 9}, True),
    ],
)
def test_a_loss_is_that_of_the_settings_that_it_uses(old_run, changes, shared):
    """Oracle: the formula of the loss: the penalty is a part of it; the mix has an effect only if it is used."""
    first, second = (RunFolder(old_run("classification", name)) for name in ("first", "second"))
    rebalanced = changes.get("rebalance", True) or not shared
    first.write_config(dataclasses.replace(first.config, rebalance=rebalanced))
    second.write_config(dataclasses.replace(second.config, **changes))
    one, other = figures.curves([first, second]).axes
    one.set_ylim(1, 2)
    assert (other.get_ylim() == (1, 2)) == shared


def test_a_judge_has_no_pictures(runs, old_runs, tmp_path):
    with pytest.raises(InputError, match="has the task 'judge'"):
        figures.write_all([runs[0].path, old_runs["vgg"]], tmp_path)


def test_all_are_written(runs, shown, tmp_path):
    """Oracle: the names; the grid's truth is dev images of the first run; the pictures are in the files."""
    paths = figures.write_all([run.path for run in runs], tmp_path)
    assert [path.name for path in paths] == ["samples.png", "bins.png", "grid.png", "curves.png"]
    (samples, _), (grid, labels) = shown
    assert labels[:2] == ["gray", "regression"]
    dev = {image.tobytes() for image in runs[0].images("dev")[0].images}
    assert {image.tobytes() for image in grid[-1]} <= dev
    for path, image in ((paths[0], samples[0][0]), (paths[2], grid[-1][0])):
        drawn = {tuple(color) for color in cv2.imread(str(path))[..., ::-1].reshape(-1, 3).tolist()}
        assert np.mean([tuple(color) in drawn for color in image.reshape(-1, 3).tolist()]) > 0.2


def test_runs_on_other_data_are_refused(runs, old_run):
    other = RunFolder(old_run("classification"))
    text = (other.path / "config.json").read_text()
    (other.path / "config.json").write_text(text.replace('"split_seed": 0', '"split_seed": 1'))
    with pytest.raises(InputError, match=r"has other data or sizes than .*regression"):
        figures.write_all([runs[0].path, other.path], other.path / "figures")
    assert not (other.path / "figures").exists()
