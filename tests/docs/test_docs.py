"""The documentation: every command and Python block in it runs; the site builds without a warning."""

import contextlib
import dataclasses
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import documents
import pytest
import tensorflow as tf
import test_film
from skimage import data as pictures
from test_datasets import python_files, sample, tar_of
from test_imports import LAYERS

from colorization.core import image_files
from colorization.models import tasks
from vgg_eval.config import JudgeConfig

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs/tutorial.md"
ADD_A_TASK = ROOT / "docs/guides/add_a_task.md"  # it changes the code, and is run on a copy
PAGES = [
    ROOT / "README.md",
    TUTORIAL,
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path != TUTORIAL),
    *(path for name in ("data", "notebooks", "benchmarks") for path in (ROOT / name).glob("README.md")),
    ROOT / "CONTRIBUTING.md",
]
BLOCKS = {page: documents.blocks(page) for page in PAGES}
WITH_COMMANDS = [page for page in PAGES if page != ADD_A_TASK and any(b.runs for b in BLOCKS[page])]

TINY = "--set epochs=1 --set train_size=40 --set dev_size=20 --set test_size=20 --set width=0.05"
RUNS = (
    "--judge runs/vgg-small --control runs/vgg-small-gray --regression runs/regression-small"
    " --classification runs/classification-small --transfer runs/transfer-small"
)
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # of an entered environment

# What makes a command cheap enough: pattern -> what takes its place; all of them, in this order. Where the
# commands run, runs/*-small and runs/demo/* are runs at smoke size, which --resume finds finished.
CHEAPER = {
    r"^python data/prepare\.py (cifar10+)\b(?!.* --from)": r"\g<0> --from \1.tar.gz",
    r"(regression\.py|classification\.py|transfer\.py|vgg\.py) --preset (small|paper)$": r"\1 --resume",
    r" --preset smoke$": " --preset smoke --resume",
    r" --preset small-gray$": " --resume --run-dir runs/vgg-small-gray",
    r" --set epochs=6 ": f" {TINY} ",
    r" --judge cifar10-judge .* --transfer cifar10-transfer": "",  # which need all of CIFAR-10
    r"^python experiments/figure[78]\.py": rf"\g<0> {RUNS}",
    r" --data photographs$": rf"\g<0> --preset smoke --run-dir runs/photos-small {TINY}",
    r" --preset fine(?= --set start)": f" --preset smoke --run-dir runs/photos-fine {TINY}",
    r" --sizes 64,96,128(?= --apply)": " --sizes 32 --images 4",
    r" --data animals(?= --run-dir)": rf"\g<0> --preset smoke {TINY}",
    r"^python benchmarks/pipeline\.py$": r"\g<0> --data photographs --images 64 --loop-images 2 --steps 0"
    " --repetitions 1",
    r"^python benchmarks/loss\.py$": r"\g<0> --batch-size 2 --size 8 --memory-of sparse",
    r"^python benchmarks/block9\.py$": r"\g<0> --preset smoke --repetitions 1",
    r"^python benchmarks/annealed_mean\.py$": r"\g<0> --images 4 --batch-size 2 --size 8",
    r"^python benchmarks/film\.py$": r"\g<0> --frames 2 --height 32 --width 48 --repetitions 1",
    r"^python benchmarks/features\.py$": r"\g<0> --images 10 --epochs 1 --width 0.05 --head-width 8",
}

# What does not run in a test: command -> why. What can be said of it without running it, check says.
NOT_RUN = {
    "make install": "is done, where tests run",
    "make demo": "takes minutes, and installs",
    "make test": "is this",
    "make test-slow": "is this and more",
    "make lint": "stands beside the tests in .ci/run",
    "make format": "changes the checkout",
    "make docs": "test_the_site runs it",
    "make notebooks": "test_notebooks runs each of them",
    ". .venv/bin/activate": "the tests are in their environment already",
    "KERAS_BACKEND=jax python experiments/regression.py --preset small --run-dir runs/jax": "compiles for a"
    " minute; test_training trains on JAX",
    "python benchmarks/throughput.py": "compiles eight models of the whole width: minutes at its smallest",
    "python benchmarks/training.py": "compiles five models: minutes at its smallest",
    "python benchmarks/formats.py photos": "exports and starts all formats: minutes",
    "pip install -e '.[gpu]'": "downloads, and changes the environment",
    "pip install -e '.[export]'": "downloads, and changes the environment",
    "python experiments/figure7.py --preset paper --vgg-weights vgg16_weights.npz": "is for a GPU",
    'docker run --rm -p 8501:8501 -v "$PWD/serving/colorizer:/models/colorizer" -e MODEL_NAME=colorizer'
    " tensorflow/serving": "downloads, and needs Docker",
    "curl -s -d @request.json -o answer.json http://localhost:8501/v1/models/colorizer:predict": "needs it",
}

TOLD_ELSEWHERE = {
    "cli",
    "errors",
    "inference",
    "models.transfer",
}  # modules told of where their names are used


@pytest.fixture(scope="module")
def house(smoke_folder, smoke_figures, tmp_path_factory):
    """The current folder, as the pages take it to be: a checkout, pictures, data, and runs."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("experiments", "benchmarks", "data"):
        (folder / name).symlink_to(ROOT / name)
    for run in smoke_folder.iterdir():
        shutil.copytree(run, folder / "runs" / run.name.replace("smoke", "small"))
    for name in ("regression", "classification", "transfer"):
        shutil.copytree(smoke_folder / f"{name}-smoke", folder / "runs/demo" / name)
    shutil.copytree(smoke_folder / "classification-smoke", folder / "runs/classification-smoke")
    shutil.copytree(smoke_figures / "parts", folder / "runs/figures-small/parts")
    image_files.write(folder / "photo.jpg", pictures.chelsea())
    test_film.make(folder / "film.mp4", test_film.pictures(3, 64, 96))
    for i in range(80):
        part = (pictures.astronaut, pictures.coffee)[i % 2]()[2 * i : 2 * i + 80, 3 * i : 3 * i + 100]
        image_files.write(folder / f"photographs/{i}.jpg", part)
        image_files.write(folder / "animals/train" / ("cat", "horse")[i % 2] / f"{i}.jpg", part)
    for name, classes in (("cifar10", 10), ("cifar100", 100), ("cifar-10-python", 10)):
        tar_of(python_files(sample(classes)), folder / f"{name}.tar.gz")
    # Sooner: so few steps take less time than tracing them
    tf.config.run_functions_eagerly(True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PATH", PATH)
        patch.setenv("COLORIZATION_DATA", str(folder / "prepared"))
        yield folder
    tf.config.run_functions_eagerly(False)


class Process:
    """A process that works while this one goes on; its output goes to a file."""

    def __init__(self, command, folder, log):
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "PATH": PATH, "PYTHONPATH": str(folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def ended_well(self):
        """Wait for its end; raises AssertionError, with its output, unless it exits with 0."""
        assert self.process.wait() == 0, self.log.read_text()


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """{"task": the guide to a new task, followed on a copy of the code; "site": the build of the site}."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("colorization", "vgg_eval", "experiments", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    image_files.write(folder / "photo.jpg", pictures.chelsea())
    for block in BLOCKS[ADD_A_TASK]:
        if block.caption:
            documents.apply(block, folder)
    task = [sys.executable, documents.__file__, ADD_A_TASK]
    site = ["make", "-o", ".venv/installed", f"BIN={Path(sys.executable).parent}", "docs"]
    processes = {
        "task": Process(task, folder, folder / "task.log"),
        "site": Process(site, ROOT, folder / "site.log"),
    }
    yield processes
    for started in processes.values():
        started.process.kill()
        started.process.wait()


@pytest.fixture(scope="module")
def done():
    """The commands that were run: none is twice."""
    return set()


def cheap(command):
    """A command as the test runs it, and the patterns that made it so."""
    used = set()
    for pattern, replacement in CHEAPER.items():
        command, count = re.subn(pattern, replacement, command)
        used |= {pattern} if count else set()
    return command, used


def check(command):
    """Of a command that is not run what can be said: its grammar, its make target, extra, or options."""
    assert subprocess.run(["bash", "-nc", command], check=False).returncode == 0, command
    words = [word for word in shlex.split(command) if not word.startswith("KERAS_BACKEND=")]
    if words[0] == "make":
        dry = ["make", "-C", str(ROOT), "-n", "-o", ".venv/installed", *words[1:]]
        assert subprocess.run(dry, stdout=subprocess.DEVNULL, check=False).returncode == 0, command
    for extra in re.findall(r"\.\[(\w+)\]", command):
        assert f'"{extra}": [' in (ROOT / "setup.py").read_text(), command
    if words[0] == "python":
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            documents.run(f"python {words[1]} --help")
        assert all(word in printed.getvalue() for word in words if word.startswith("--")), command


@pytest.mark.filterwarnings(
    "ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"
)
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_of(page, house, done, beside):
    """Oracle: exit code 0, and no exception from Python blocks; see check for what is not run."""
    namespace = {}
    for block in BLOCKS[page]:
        if block.kind == "python":
            documents.execute(block, namespace)
        for command in documents.commands(block):
            cheaper, _ = cheap(command)
            if command in NOT_RUN:
                check(command)
            elif cheaper not in done:
                documents.run(cheaper)
                done.add(cheaper)


def test_the_added_task(beside):
    """Oracle: the guide's files and changes make a checkout in which its commands and tests succeed."""
    beside["task"].ended_well()


def test_every_block_says_what_it_is_and_no_entry_is_stale():
    """Oracle: the blocks of all pages."""
    found, used = set(), set()
    for block in (block for page in PAGES for block in BLOCKS[page]):
        assert block.runs or block.caption or block.kind.startswith(("{", "text")), block.where
        found |= set(documents.commands(block))
    for command in found:
        used |= cheap(command)[1]
    assert set(CHEAPER) - used == set()
    assert set(NOT_RUN) - found == set()


@pytest.fixture(scope="module")
def site(beside):
    """{page's path: HTML} of the built site; the build fails on a warning."""
    beside["site"].ended_well()
    folder = ROOT / "build/docs"
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.html")}


def test_the_site_holds_what_it_should(site):
    """Oracle: the pages, notebooks, modules and settings that there are; words of docstrings and --help."""
    for page in PAGES:
        if page.is_relative_to(ROOT / "docs"):
            assert page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() in site
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert "<img" in site[f"notebooks/{notebook.stem}.html"]
    for name in set(LAYERS) - TOLD_ELSEWHERE:
        full = name if name.startswith(("vgg_eval", "colorization")) else f"colorization.{name}"
        told = any(f'id="module-{full}"' in page for page in site.values())
        assert told or name.startswith("datasets."), f"{full} is on no page of docs/reference/python"
    for config_class in (*tasks.CONFIGS.values(), JudgeConfig):
        for field in dataclasses.fields(config_class):
            assert f">{field.name}<" in site["reference/settings.html"]
    assert "NAME.png goes here" in site["reference/commands.html"]
    assert "python experiments/figure7.py" in site["reference/commands.html"]
    assert "The expected center after the distribution was sharpened" in site["reference/python/colors.html"]
    assert site["method.html"].count("<math") > 20
    assert "Unreleased" in site["changelog.html"]


def test_the_site_fetches_nothing(site):
    """Oracle: no page names a script, a style sheet or a picture of another site."""
    for name, page in site.items():
        assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^>]*>', page), name
