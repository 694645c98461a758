"""The command line as people use it: pictures, figures, one sentence for what is wrong."""

import shutil

import cv2
import numpy as np
import pytest
from skimage import data

from colorization.core import image_grid
from colorization import Colorizer
from colorization.cli import main
from colorization.evaluation import figures
from colorization.core import image_files


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.jpg"
    image_files.write(path, data.coffee()[::4, ::4])
    return path


def refused(capsys, *arguments):
    """The one sentence that a refused command prints."""
    assert main.main([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr().err.strip().splitlines()
    assert printed[-1].startswith("error: ")
    return printed[-1]


def test_colorize_image(smoke_runs, photograph, tmp_path, capsys):
    for task, run_dir in smoke_runs.items():
        output = tmp_path / task
        arguments = [
            "image",
            str(photograph),
            "--model",
            str(run_dir),
            "-o",
            str(output),
            *([] if task == "transfer" else ["--working-size", "48"]),
        ]
        capsys.readouterr()
        assert main.main(arguments) == 0
        assert capsys.readouterr().out == f"{output / 'photograph.png'}\n"
        colored = cv2.imread(str(output / "photograph.png"))
        assert colored.shape == data.coffee()[::4, ::4].shape
        assert np.ptp(colored.astype(int), axis=-1).max() > 20
        assert "is there already: pass --overwrite" in refused(capsys, *arguments)
        tempered = [] if task == "regression" else ["--temperature", "0.5"]
        assert main.main([*arguments, "--overwrite", *tempered]) == 0


def test_folders_keep_their_shape(smoke_runs, tmp_path, capsys):
    """Oracle: the listing, written here; the time stamps of what was there before."""
    album, output = tmp_path / "album", tmp_path / "album" / "deep" / ".." / "colored"
    for name in ("a.png", "a.jpg", "deep/er/b.JPG", "deep/c.webp", ".hidden/d.png", "colored/old.png"):
        path = album / name.lower()
        image_files.write(path, data.coffee()[:40, :56])
        path.rename(album / name)
    (album / "letter.txt").write_text("no picture")
    single = tmp_path / "single.png"
    image_files.write(single, data.coffee()[:24, :24])
    command = ["image", album, single, "--model", smoke_runs["regression"], "-o", output]
    command = [str(word) for word in command]
    assert main.main(command) == 0
    made = {"a.png.png", "a.jpg.png", "deep/er/b.png", "deep/c.png", "single.png"}
    there = {path.relative_to(output).as_posix() for path in output.rglob("*.*")}
    assert there == made | {"old.png"}
    assert set(capsys.readouterr().out.split()) == {str(output / name) for name in made}
    assert "is there already: pass --overwrite, --resume" in refused(capsys, *command)
    (output / "deep/c.png").unlink()
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.*")}
    assert main.main([*command, "--resume"]) == 0
    assert capsys.readouterr().out.split() == [str(output / "deep/c.png")]
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
    upwards = ["image", tmp_path / "one", "--model", smoke_runs["regression"], "-o", tmp_path]
    assert main.main([str(word) for word in upwards]) == 0
    assert (tmp_path / "a.png").exists()
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in refused(capsys, "image", tmp_path / "empty", *command[3:])


def test_a_bad_file_among_good_ones(smoke_runs, photograph, tmp_path, capsys):
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    output = tmp_path / "out"
    sentence = refused(capsys, "image", bad, photograph, "--model", smoke_runs["regression"], "-o", output)
    assert "bad.png is no image" in sentence
    assert [path.name for path in output.iterdir()] == ["photograph.png"]


def test_bad_input_gets_one_sentence(smoke_runs, photograph, tmp_path, capsys):
    run_dir, output = smoke_runs["regression"], tmp_path / "out"
    image = ("image", photograph, "-o", output, "--model")
    assert "is no run folder" in refused(capsys, *image, tmp_path)
    assert "is no run folder" in refused(capsys, *image, tmp_path / "nowhere")
    assert "decodes by regression, not by 'mode'" in refused(capsys, *image, run_dir, "--decoding", "mode")
    tempered = (*image, run_dir, "--temperature", 0.5)
    assert "The decoding regression takes no temperature" in refused(capsys, *tempered)
    with_onnx = tmp_path / "with-onnx"
    shutil.copytree(run_dir, with_onnx)
    assert main.main(["export", str(with_onnx), "--format", "onnx"]) == 0
    tempered = (*image, with_onnx, "--temperature", 0.5)
    assert "The decoding regression takes no temperature" in refused(capsys, *tempered)
    tempered = (*image, smoke_runs["classification"], "--decoding", "mode", "--temperature", 0.5)
    assert "The decoding mode takes no temperature" in refused(capsys, *tempered)
    assert "takes no temperature" in refused(capsys, "evaluate", run_dir, "--temperature", 0.5)
    assert "at least 1 pixel" in refused(capsys, *image, run_dir, "--working-size", 0)
    assert "is no folder" in refused(capsys, "image", photograph, "-o", photograph, "--model", run_dir)
    assert "missing.png cannot be read" in refused(
        capsys, "image", tmp_path / "missing.png", *image[2:], run_dir
    )
    assert not output.exists()
    assert "is no run folder" in refused(capsys, "evaluate", tmp_path)
    assert "does not exist" in refused(capsys, "evaluate", run_dir, "--data", "nowhere")
    assert "is no run folder" in refused(capsys, "figures", tmp_path, "-o", output)


@pytest.mark.parametrize(
    "arguments", [["image"], ["--temperature", "x"], ["evaluate", "r", "--temperature", "-1"], []]
)
def test_wrong_words_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main.main(arguments)
    assert "usage: colorize" in capsys.readouterr().err


def test_figures_of_runs_of_one_task(smoke_runs, tmp_path, monkeypatch):
    """Oracle: Colorizer on each; where there are several of a task the folders' names tell them apart."""
    shutil.copytree(smoke_runs["regression"], tmp_path / "other")
    shown, label = [], image_grid.labeled
    monkeypatch.setattr(figures, "labeled", lambda *rows: shown.append(rows) or label(*rows))
    rgb = data.coffee()[None, :32, :32]
    figures.grid([smoke_runs["regression"], tmp_path / "other", smoke_runs["transfer"]], rgb)
    ((rows, labels),) = shown
    name = smoke_runs["regression"].name
    assert labels == [
        "gray",
        name,
        "other",
        *(f"transfer:\n{d}" for d in ("annealed", "mean", "mode")),
        "truth",
    ]
    expected = Colorizer.load(tmp_path / "other").colorize(rgb).astype(int)
    for row in rows[1:3]:
        assert (np.abs(row - expected) > 1).mean() < 1e-3


def test_figures(smoke_runs, tmp_path, capsys):
    assert main.main(["figures", *map(str, smoke_runs.values()), "-o", str(tmp_path)]) == 0
    names = capsys.readouterr().out.split()
    assert [name.split("/")[-1] for name in names] == ["samples.png", "bins.png", "grid.png", "curves.png"]
    for name in names:
        picture = cv2.imread(name)
        assert min(picture.shape[:2]) > 100
        assert picture.std() > 5


def test_experiments_refuse_bad_words(experiments, tmp_path, capsys):
    script = experiments["classification"]

    def sentence(*arguments):
        assert script.main([*arguments, "--run-dir", str(tmp_path / "run")]) == 2
        error = capsys.readouterr().err.strip()
        assert error.count("\n") == 0
        return error

    assert "Unknown field 'with'; the fields are: data, image_size" in sentence("--set", "with=1")
    assert "epochs takes a whole number, not 'many'" in sentence("--set", "epochs=many")
    assert "epochs is at least 1, not 0" in sentence("--set", "epochs=0")
    assert "key=value" in sentence("--set", "epochs")
    assert "does not exist" in sentence("--preset", "smoke", "--data", "nowhere")
