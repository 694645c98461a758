"""The commands that a wheel brings: train, prepare, tune, presets make; what plug-ins add; what messages name."""

import ast
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from support.cifar_files import python_files, sample, tar_of
from support.pictures import crops

from colorization import datasets
from colorization.cli import console, main, trainings
from colorization.cli.training_options import Training
from colorization.core import image_files
from colorization.core.config import CONFIGS
from colorization.runs import RunFolder, resolve
from vgg_eval import plugin
from vgg_eval.config import JudgeConfig

ROOT = Path(__file__).resolve().parents[2]
TINY = [
    word
    for change in ("data=synthetic", "train_size=40", "dev_size=20", "test_size=20", "epochs=1", "width=0.03")
    for word in ("--set", change)
]
CARD = ["--title", "told", "--data", "told", "--bad-at", "told", "--command", "told"]


@pytest.fixture(autouse=True)
def data_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))


def refused(capsys, *words):
    """The one sentence of a refused command."""
    capsys.readouterr()
    assert main.main([str(word) for word in words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_every_training_has_its_variants_and_its_experiment(experiments):
    """Oracle: the experiments' files, and the classes of settings; small and smoke exist for each."""
    found = trainings.trainings()
    assert list(found) == ["regression", "classification", "transfer", "photos", "judge"]
    for name, training in found.items():
        assert experiments[name].VARIANTS is training.variants
        assert {"smoke", "small"} <= training.variants.keys()
        for config in training.variants.values():
            assert CONFIGS[config.task] is type(config)
    assert found["judge"].variants["small-gray"] == dataclasses.replace(
        found["judge"].variants["small"], gray=True
    )


def test_a_plugin_adds_a_training_and_a_command(monkeypatch, capsys):
    """Oracle: what the plug-in of this test was called with. One that two distributions name is taken once."""

    class Point:
        value = "tests.plugin"

        def load(self):
            return self

        TRAININGS = {
            "mine": Training("Mine.", {"small": JudgeConfig()}, lambda *given, **named: f"{given} {named}")
        }

        def add_commands(self, commands):
            console.add_command(commands, "hello", "greet", "Greet.", "builtins:print")

    points = [Point(), Point()]
    monkeypatch.setattr(trainings.importlib.metadata, "entry_points", lambda group: points)
    assert main.main(["train", "mine", "--run-dir", "there"]) == 0
    assert capsys.readouterr().out == f"{(JudgeConfig(), Path('there'))} {{'resume': False}}\n"
    assert main.main(["hello"]) == 0
    assert "command='hello'" in capsys.readouterr().out


def test_the_judge_is_an_installed_plugin():
    """Oracle: the module itself; `make install` writes the entry point of setup.py."""
    assert trainings.plugins() == [plugin]


def test_a_run_from_the_first_command_to_the_picture(tmp_path, monkeypatch, capsys):
    """Oracle: the files of each command, and their settings; each names the run that the one before has made."""
    monkeypatch.chdir(tmp_path)
    assert main.main(["train", "classification", "--variant", "smoke", *TINY]) == 0
    run = RunFolder("runs/classification-smoke")
    assert run.metrics().keys() == {"dev"}
    tune = ["--strengths", "0.5", "--temperatures", "0.3", "--images", "8", "--apply", "tuned"]
    assert main.main(["tune", str(run), *tune]) == 0
    assert RunFolder("tuned").config.temperature == 0.3
    assert main.main(["presets", "make", "tuned", "mine", *CARD, "--to", "new/presets"]) == 0
    assert capsys.readouterr().out.endswith("new/presets/mine\n")
    made = RunFolder("new/presets/mine")
    assert "- Rebalanced after the training by 0.5 (`colorize tune`)" in made.card_path.read_text()
    image_files.write(tmp_path / "a.png", crops()[0])
    assert main.main(["image", "a.png", "--model", str(made), "-o", "colored"]) == 0
    assert image_files.read(tmp_path / "colored/a.png").shape == crops()[0].shape


def test_make_is_no_name_of_a_preset(old_runs, tmp_path, capsys):
    """Oracle: the sentences; the listing has a preset's name first, and nothing else."""
    for name in ("make", "../mine", "..", ""):
        words = ("presets", "make", old_runs["regression"], name, *CARD, "--to", tmp_path)
        assert "cannot be the name of a preset" in refused(capsys, *words)
    assert list(tmp_path.iterdir()) == []
    assert main.main(["presets"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [preset.name for preset in resolve.all_presets()]


def test_prepare(tmp_path, capsys):
    """Oracle: the source, read by datasets.load; a second call leaves the files as they are."""
    archive = tmp_path / "cifar-10-python.tar.gz"
    tar_of(python_files(sample(10)), archive)
    assert main.main(["prepare", "cifar10", "--from", str(archive), "--to", str(tmp_path / "to")]) == 0
    assert "10 classes" in capsys.readouterr().out
    folder = tmp_path / "to" / "cifar10"
    np.testing.assert_array_equal(datasets.read(folder).train.images, datasets.load(archive).train.images)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert main.main(["prepare", "cifar10", "--to", str(tmp_path / "to")]) == 0
    assert "Use --force to make it again" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert "Leave out --from" in refused(capsys, "prepare", "synthetic", "--from", archive)
    with pytest.raises(SystemExit, match="2"):
        main.main(["prepare", "cifar10", "--size", "8"])


def test_prepared_photographs_are_those_that_training_takes(tmp_path, capsys):
    """Oracle: the folder that a training of the same pictures names in its settings."""
    for i in range(40):
        image_files.write(tmp_path / "album" / f"{i}.png", np.roll(crops()[i % len(crops())], i, axis=1))
    assert main.main(["prepare", "photographs", str(tmp_path / "album")]) == 0
    *_, folder = capsys.readouterr().out.splitlines()
    words = ["train", "photos", "--data", tmp_path / "album", "--run-dir", tmp_path / "run"]
    tiny = ["--set", "epochs=1", "--set", "width=0.03", "--set", "batch_size=16"]
    assert main.main([*map(str, words), *tiny]) == 0
    assert RunFolder(tmp_path / "run").config.data == folder
    assert "Name the folders of your photographs with --data" in refused(capsys, "train", "photos")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "classification", "--set", "epoch=1"], "Unknown field 'epoch'"),
        (["train", "classification", "--data", "nowhere"], "nowhere"),
        (["train", "transfer", "--variant", "smoke", "--vgg-weights", "nowhere"], "nowhere"),
        (["train", "judge", "--set", "frozen_blocks=2"], "Frozen blocks need pretrained weights"),
        (["tune", "nowhere"], "nowhere is not a run folder"),
        (["presets", "make", "nowhere", "mine", *CARD], "nowhere is not a run folder"),
        (["figure7", "--judge", "nowhere"], "nowhere is not a run folder"),
        (["figure8", "--vgg-weights", "imagenet"], "small trains its judge from scratch"),
    ],
)
def test_bad_input_gets_one_sentence(tmp_path, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(capsys, *words)
    assert not list(tmp_path.rglob("config.json"))


@pytest.mark.parametrize(
    "words",
    [
        ["train"],
        ["train", "nothing"],
        ["train", "photos", "--variant", "paper"],
        ["prepare"],
        ["prepare", "photographs"],
        ["tune", "run", "--sizes", "0"],
        ["presets", "make", "run"],
        ["figure8", "--images", "1", "--failures", "2"],
    ],
)
def test_wrong_words_get_the_usage(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main.main(words)
    assert f"usage: colorize {words[0]}" in capsys.readouterr().err


def texts():
    """(module, every text in its code), docstrings included."""
    for package in ("colorization", "vgg_eval"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield path.relative_to(ROOT).as_posix(), node.value


def test_no_text_of_the_package_names_a_file_of_a_checkout():
    """Oracle: the folders beside the packages; only the search for the checkout itself looks for one."""
    own = re.compile(
        r"\b(experiments|benchmarks|notebooks|docs|tests|results)/\w|\w+/prepare\.py|\bprepare\.py"
    )
    found = {(module, text) for module, text in texts() if own.search(text)}
    assert found == {("colorization/datasets/base.py", "prepare.py")}
    for preset in resolve.all_presets():
        assert not own.search(RunFolder(preset.folder).card_path.read_text(encoding="utf-8"))
