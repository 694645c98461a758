"""The command line as people use it: pictures, exports, tables, figures; one sentence for what is wrong."""

import re

import cv2
import numpy as np
import pytest
from skimage import data

from colorization import Colorizer
from colorization.cli import main
from colorization.core import image_files
from colorization.evaluation import evaluate, table
from colorization.inference import runtimes
from colorization.inference.rendering import Rendering
from colorization.runs import RunFolder, resolve

TASKS = ("regression", "classification", "transfer")


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.jpg"
    image_files.write(path, data.coffee()[::4, ::4])
    return path


def refused(capsys, *arguments, code=2):
    """The one sentence that a refused command prints."""
    assert main.main([str(argument) for argument in arguments]) == code
    printed = capsys.readouterr().err.strip().splitlines()
    assert printed[-1].startswith("error: ")
    return printed[-1]


@pytest.mark.parametrize("task", TASKS)
def test_colorize_image(photograph, tmp_path, capsys, task):
    """Oracle: Colorizer of the same preset, at the same working size and temperature."""
    name, output = f"cifar10-{task}", tmp_path / "out"
    size = None if task == "transfer" else 48
    arguments = ["image", str(photograph), "--model", name, "-o", str(output), "--format", "png"]
    arguments += [] if size is None else ["--working-size", str(size)]
    assert main.main(arguments) == 0
    assert capsys.readouterr().out == f"{output / 'photograph.png'}\n"
    colorizer, picture = Colorizer.from_preset(name, size), image_files.read(photograph)
    expected = colorizer.colorize(picture, rendering=Rendering()).astype(int)
    colored = cv2.imread(str(output / "photograph.png"))[..., ::-1]
    assert (np.abs(colored - expected) > 1).mean() < 1e-3
    assert "already exists: pass --overwrite" in refused(capsys, *arguments)
    if task != "regression":
        assert main.main([*arguments, "--overwrite", "--temperature", "0.1"]) == 0
        tempered = image_files.read(output / "photograph.png")
        cold = colorizer.colorize(picture, temperature=0.1, rendering=Rendering()).astype(int)
        assert (np.abs(tempered - cold) > 1).mean() < 1e-3
        assert (np.abs(tempered - expected) > 1).mean() > 0.1


def test_folders_keep_their_shape(tmp_path, capsys):
    """Oracle: the listing, written here; the time stamps of what was there before."""
    album, output = tmp_path / "album", tmp_path / "album" / "deep" / ".." / "colored"
    for name in ("a.png", "a.jpg", "deep/er/b.JPG", "deep/c.webp", ".hidden/d.png", "colored/old.png"):
        path = album / name.lower()
        image_files.write(path, data.coffee()[:40, :56])
        path.rename(album / name)
    (album / "letter.txt").write_text("no picture")
    single = tmp_path / "single.png"
    image_files.write(single, data.coffee()[:24, :24])
    command = ["image", album, single, "--model", "cifar10-regression", "-o", output]
    command = [str(word) for word in command]
    assert main.main(command) == 0
    made = {"a.png", "a.jpg", "deep/er/b.JPG", "deep/c.webp", "single.png"}
    there = {path.relative_to(output).as_posix() for path in output.rglob("*.*")}
    assert there == made | {"old.png", "skipped-files.txt"}
    assert set(capsys.readouterr().out.split()) == {str(output / name) for name in made}
    assert "already exists: pass --overwrite or --resume" in refused(capsys, *command)
    (output / "deep/c.webp").unlink()
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.*")}
    assert main.main([*command, "--resume"]) == 0
    assert capsys.readouterr().out.split() == [str(output / "deep/c.webp")]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for other in ("one", "two"):
        image_files.write(tmp_path / other / "a.png", data.coffee()[:24, :24])
    clash = refused(capsys, "image", tmp_path / "one", tmp_path / "two", *command[3:])
    assert "one/a.png and " in clash
    assert "would both become" in clash
    same = refused(capsys, "image", tmp_path / "one", *command[3:-1], tmp_path / "two" / ".." / "one")
    assert "is the folder of the pictures themselves" in same
    itself = ["image", tmp_path / "one" / "a.png", *command[3:-1], tmp_path / "two" / ".." / "one"]
    for more in ((), ("--overwrite",), ("--resume",)):
        assert "a.png is one of the pictures to color" in refused(capsys, *itself, *more)
    upwards = ["image", tmp_path / "one", "--model", "cifar10-regression", "-o", tmp_path]
    assert main.main([str(word) for word in upwards]) == 0
    assert (tmp_path / "a.png").exists()
    (tmp_path / "empty").mkdir()
    assert "holds no images" in refused(capsys, "image", tmp_path / "empty", *command[3:])


def test_a_bad_file_among_good_ones(photograph, tmp_path, capsys):
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    output = tmp_path / "out"
    command = ("image", bad, photograph, "--model", "cifar10-regression", "-o", output)
    assert "bad.png " in refused(capsys, *command, code=1)
    assert [path.name for path in output.iterdir()] == ["photograph.jpg"]


def test_bad_input_gets_one_sentence(photograph, tmp_path, capsys):
    output = tmp_path / "out"
    image = ("image", photograph, "-o", output, "--model")
    regression = (*image, "cifar10-regression")
    for words, sentence in (
        ((*image, tmp_path), "is not a run folder"),
        ((*image, tmp_path / "nowhere"), "is not a run folder"),
        ((*regression, "--decoding", "mode"), "Unknown decoding 'mode'"),
        ((*regression, "--temperature", 0.5), "The decoding regression does not use a temperature"),
        (
            (*image, "photos", "--decoding", "mode", "--temperature", 0.5),
            "The decoding mode does not use a temperature",
        ),
        ((*regression, "--working-size", 0), "at least 1 pixel"),
        (("image", photograph, "-o", photograph, "--model", "photos"), "is one of the pictures to color"),
        (("image", tmp_path / "missing.png", *image[2:], "cifar10-regression"), "missing.png cannot be read"),
        (("evaluate", tmp_path), "is not a run folder"),
        (("evaluate", "nothing"), "is not a run folder"),
        (
            ("evaluate", "cifar10-regression", "--data", "nowhere"),
            "nowhere does not exist|nowhere is not found|not found",
        ),
        (("evaluate", "cifar10-regression", "--temperature", 0.5), "does not use a temperature"),
        (("figures", tmp_path, "-o", output), "is not a run folder"),
        (("export", tmp_path, "--format", "keras", "-o", tmp_path / "m.keras"), "is not a run folder"),
        (("export", "photos", "--format", "onnx"), "Name the new onnx file or folder with -o"),
        (("export", "photos", "--format", "savedmodel"), "Name the new savedmodel file or folder with -o"),
        (("presets", "--path"), "needs the name of a preset"),
        (("presets", "nothing"), "The preset 'nothing' does not exist"),
    ):
        told = refused(capsys, *words)
        assert re.search(sentence, told), told
    assert not output.exists()


def test_a_run_with_its_own_onnx_refuses_as_the_run_does(old_run, photograph, tmp_path, capsys):
    """Oracle: the run's own sentence; the file follows its run, which it must have been made from."""
    run_dir = old_run("regression")
    assert runtimes.of_run(run_dir) is None
    assert main.main(["export", str(run_dir), "--format", "onnx"]) == 0
    assert capsys.readouterr().out == f"{run_dir / 'colorizer.onnx'}\n"
    image = ("image", photograph, "-o", tmp_path / "out", "--model", run_dir)
    assert "The decoding regression does not use a temperature" in refused(
        capsys, *image, "--temperature", 0.5
    )
    assert "has the settings of its run" in refused(
        capsys, "export", run_dir, "--format", "onnx", "--working-size", 64
    )

    found = runtimes.of_run(run_dir).colorize(image_files.read(photograph)).astype(int)
    assert (np.abs(found - Colorizer.load(run_dir).colorize(image_files.read(photograph))) > 1).mean() < 1e-3
    run, arrays = RunFolder(run_dir), RunFolder(run_dir).weights()
    run.write_best({name: array + 1e-3 for name, array in arrays.items()}, 1)  # other weights
    assert runtimes.of_run(run_dir) is None
    run.onnx_path.write_text("damaged")
    assert runtimes.of_run(run_dir) is None


def test_evaluate_prints_the_table(old_run, capsys):
    """Oracle: the table of the evaluation itself."""
    run_dir = old_run("classification")
    assert main.main(["evaluate", str(run_dir), "--split", "test", "--temperature", "0.5"]) == 0
    printed = capsys.readouterr().out
    assert printed == table(evaluate(run_dir, "test", temperature=0.5)) + "\n"


def test_figures_are_named(old_runs, tmp_path, capsys):
    """Oracle: the names of what is written; see test_figures for what is in it."""
    runs = [str(old_runs[task]) for task in TASKS]
    assert main.main(["figures", *runs, "-o", str(tmp_path), "--seed", "3"]) == 0
    names = capsys.readouterr().out.split()
    assert names == [str(tmp_path / f"{name}.png") for name in ("samples", "bins", "grid", "curves")]
    assert all(min(cv2.imread(name).shape[:2]) > 100 for name in names)


def test_presets_are_listed_and_shown(capsys):
    """Oracle: the folder of the presets, and the card."""
    assert main.main(["presets"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert listed == {path.name for path in resolve.PRESETS.iterdir() if (path / "config.json").exists()}
    assert main.main(["presets", "photos"]) == 0
    card = (resolve.PRESETS / "photos" / "README.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == card.strip() + "\n"
    assert main.main(["presets", "photos", "--path"]) == 0
    assert capsys.readouterr().out == f"{resolve.PRESETS / 'photos'}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["image"], "required: PATH"),
        (["--temperature", "x"], "invalid choice"),
        (["evaluate", "r", "--temperature", "-1"], "-1 is not a temperature of 0 or more"),
        (["evaluate", "r", "--temperature", "x"], "x is not a temperature of 0 or more"),
        (["image", "a.png", "--jobs", "1.5"], "1.5 is not a whole number of 1 or more"),
        (["image", ""], "the name is empty: give a path"),
        (["film", "a.mkv", "-o", ""], "the name is empty: give a path"),
        (["tune", "r", "--sizes", "64,a"], "64,a is not a list of numbers of at least 8"),
        (["figure8", "--images", "3,x"], "x is not a whole number of 0 or more"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_words_exit_with_2(arguments, sentence, capsys):
    with pytest.raises(SystemExit, match="2"):
        main.main(arguments)
    told = capsys.readouterr().err
    assert "usage: colorize" in told
    assert sentence in told


def test_experiments_refuse_bad_words(experiments, tmp_path, capsys):
    script = experiments["classification"]

    def sentence(*arguments):
        assert script.main([*arguments, "--run-dir", str(tmp_path / "run")]) == 2
        error = capsys.readouterr().err.strip()
        assert error.count("\n") == 0
        return error

    assert "Unknown field 'with'. The fields are: data, image_size" in sentence("--set", "with=1")
    assert "epochs must be a whole number, received 'many'" in sentence("--set", "epochs=many")
    assert "epochs must be at least 1, received 0" in sentence("--set", "epochs=0")
    assert "key=value" in sentence("--set", "epochs")
    assert "nowhere" in sentence("--variant", "smoke", "--data", "nowhere")
    assert not (tmp_path / "run").exists()
