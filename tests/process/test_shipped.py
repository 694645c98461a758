"""The recipes of the shipped models, each from its first command to the preset, at a tiny size."""

import numpy as np
import pytest
from skimage import data
from support import documents

from colorization.cli import main as colorize
from colorization.core import image_files
from colorization.runs import RunFolder, resolve

TINY = ["data=synthetic", "train_size=40", "dev_size=20", "test_size=20", "epochs=1"]
NARROW = ["width=0.03"]  # not where a model starts from another one, as their widths are equal


def options(changes):
    return [word for change in changes for word in ("--set", change)]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The current folder, without data."""
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def shipped(experiments):
    return experiments["shipped"]


def test_each_shipped_model_has_a_recipe_of_commands_that_exist(shipped):
    """Oracle: the presets; the parser of `colorize`; the last command makes the preset itself."""
    assert sorted(shipped.RECIPES) == [preset.name for preset in resolve.all_presets()]
    for name in shipped.RECIPES:
        words = [name, "--data", "album"] if name == "photos" else [name]
        lines = list(shipped.commands(shipped.parsed(words)))
        for line in lines:
            assert documents.stopped(colorize.main, line).command in (
                "train",
                "tune",
                "evaluate",
                "presets make",
            )
        assert lines[-1][:2] == ["presets", "make"]
        assert lines[-1][3] == name


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cifar10-judge", NARROW),
        ("cifar10-control", NARROW),
        ("cifar10-regression", []),
        ("cifar10-classification", []),
    ],
)
def test_a_recipe_makes_its_preset(shipped, here, name, changes):
    """Oracle: task and evaluation of the shipped one; the card names the recipe."""
    assert shipped.main([name, *options(TINY + changes)]) == 0
    made, own = RunFolder(here / "runs/shipped/presets" / name), RunFolder(resolve.PRESETS / name)
    assert made.config.task == own.config.task
    assert getattr(made.config, "gray", None) == getattr(own.config, "gray", None)
    assert made.metrics().keys() == own.metrics().keys() == {"dev"}
    assert made.onnx_path.exists() == own.onnx_path.exists()
    assert made.tuned() == own.tuned()
    assert f"`python experiments/shipped.py {name}`" in made.card_path.read_text()


def test_a_recipe_continues_where_it_was_stopped(shipped, here, monkeypatch):
    """Oracle: stopped before each of its commands in turn; the trainings are not repeated, and the preset is made
    last. The transfer has all kinds of stages."""
    words = ["cifar10-transfer", *options(TINY)]
    stages = list(shipped.commands(shipped.parsed(words)))
    called = []

    def stopped(stop, main=colorize.main):
        def run(line):
            if line == stages[stop]:
                return 130
            called.append(line[0])
            return main(line)

        return run

    runs, preset = here / "runs/shipped", here / "runs/shipped/presets/cifar10-transfer"
    for stop in range(len(stages)):
        with monkeypatch.context() as patch:
            patch.setattr(colorize, "main", stopped(stop))
            assert shipped.main(words) == 130
        assert not preset.exists()
    assert called.count("tune") == 1
    for name in ("judge", "transfer"):
        assert len(RunFolder(runs / name).sessions()) == 1
    assert shipped.main(words) == 0
    assert RunFolder(preset).config.vgg_weights == "cifar10-judge"
    assert RunFolder(preset).tuned() == {"strength": 0.5}
    assert shipped.main(words) == 0  # an older one is replaced


@pytest.mark.slow
def test_the_recipe_of_photographs(shipped, here, capsys):
    """Oracle: the sessions: 64 pixels, then 112; the settings of the shipped one. It needs photographs."""
    for i in range(40):
        image = np.roll((data.coffee(), data.rocket())[i % 2][:120, :150], 3 * i, axis=1)
        image_files.write(here / "album" / f"{i}.png", image)
    words = ["photos", "--data", "album", *options(["epochs=1", "batch_size=16", *NARROW])]
    assert shipped.main(words) == 0
    made, own = RunFolder(here / "runs/shipped/presets/photos"), RunFolder(resolve.PRESETS / "photos")
    assert [session.get("run") for session in made.sessions()] == ["photos-64", None]
    for field in ("image_size", "crop_from", "rebalance", "working_size", "temperature"):
        assert getattr(made.config, field) == getattr(own.config, field)
    assert made.tuned() == own.tuned()
    for wrong in (["photos"], ["cifar10-judge", "--data", "album"], ["nothing"]):
        with pytest.raises(SystemExit, match="2"):
            shipped.main(wrong)
        assert "usage: " in capsys.readouterr().err
