"""The documentation's commands: all are parsed by their own parsers, a chosen few are run, and all Python blocks."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from skimage import data as pictures
from support import documents
from support.cifar_files import python_files, sample, tar_of
from support.films import make
from support.films import pictures as frames

from colorization.core import image_files
from colorization.runs import RunFolder

ROOT = Path(__file__).resolve().parents[2]
ADD_A_TASK = ROOT / "docs/guides/add_a_task.md"  # it changes the code: test_guide follows it on a copy

TINY = "--set epochs=1 --set train_size=40 --set dev_size=20 --set test_size=20 --set width=0.05"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # of an entered environment

# The commands that are run: pattern -> what takes its place, which makes it cheap enough. Of the others it is
# known that their own parsers take them; the experiments are run by tests/process/test_experiments.py.
RUN = {
    r"^(colorize prepare cifar10)$": r"\1 --from cifar-10-python.tar.gz",
    r"^(colorize train classification) --variant small$": rf"\1 --variant smoke --run-dir runs/trained {TINY}",
    r"^(colorize train photos --data photographs)$": r"\1 --run-dir runs/trained-photos --set epochs=1 --set width=0.05",
    r"^colorize .*": r"\g<0>",
    r"^echo .* > hints\.json$": r"\g<0>",
    r"^python -m vgg_eval\.export .*": r"\g<0>",
    r"^python data/prepare\.py cifar10 --from \S+$": r"\g<0>",
    r"^(python experiments/classification\.py --variant smoke) --set epochs=6 (--run-dir runs/longer)": rf"\1 \2 {TINY}",
    r"^(python experiments/classification\.py) (--data animals --run-dir runs/animals) .*": rf"\1 --variant smoke \2 {TINY}",
    r"^(python experiments/tune\.py runs/photos-fine) .*(--apply \S+)": r"\1 --sizes 32 --images 4 --strengths 0 \2",
    r"^python experiments/grayscale\.py runs/judge-small.*": r"\g<0>",
    r"^python benchmarks/loss\.py$": r"\g<0> --batch-size 2 --size 8 --memory-of sparse",
    r"^python benchmarks/annealed_mean\.py$": r"\g<0> --images 4 --batch-size 2 --size 8",
    r"^python benchmarks/film\.py$": r"\g<0> --frames 2 --height 32 --width 48 --repetitions 1",
    r"^python benchmarks/feed\.py$": r"\g<0> --data photographs --images 64 --loop-images 2 --repetitions 1",
}

# Where the commands run, these are tiny runs of version 0.1.
HOUSE = {
    "vgg": ("judge-small", "judge-small-gray"),
    "regression": ("regression-small", "demo/regression"),
    "classification": (
        "classification-small",
        "classification-smoke",
        "photos-small",
        "photos-fine",
        "demo/classification",
    ),
    "transfer": ("transfer-small", "demo/transfer"),
}


@pytest.fixture(scope="module")
def house(old_runs, tmp_path_factory):
    """The current folder, as the pages take it to be: a checkout, pictures, data, and runs."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("experiments", "benchmarks", "data", "docs"):
        (folder / name).symlink_to(ROOT / name)
    for task, names in HOUSE.items():
        for name in names:
            shutil.copytree(old_runs[task], folder / "runs" / name)
    image_files.write(folder / "photo.jpg", pictures.chelsea())
    make(folder / "film.mp4", frames(3, 64, 96))
    for number, frame in enumerate(frames(3, 64, 96)):
        image_files.write(folder / f"frames/{number}.png", frame)
    for i in range(80):
        part = (pictures.astronaut, pictures.coffee)[i % 2]()[2 * i : 2 * i + 80, 3 * i : 3 * i + 100]
        image_files.write(folder / f"photographs/{i}.jpg", part)
        image_files.write(folder / "animals/train" / ("cat", "horse")[i % 2] / f"{i}.jpg", part)
    tar_of(python_files(sample(10)), folder / "cifar-10-python.tar.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PATH", PATH)
        patch.setenv("COLORIZATION_DATA", str(folder / "prepared"))
        yield folder


def cheap(command):
    """(a command as it is run here or None, the pattern that chose it)."""
    for pattern, replacement in RUN.items():
        if re.search(pattern, command):
            return re.sub(pattern, replacement, command), pattern
    return None, None


def test_every_command_is_one(pages, house):
    """Oracle: the commands' own parsers, the settings' classes, bash, make, and the extras in setup.py."""
    for block in (block for page in pages.values() for block in page):
        for command in documents.commands(block):
            words = shlex.split(command)
            if words[0] == "make":
                dry = ["make", "-C", str(ROOT), "-n", "-o", ".venv/installed", *words[1:]]
                assert subprocess.run(dry, capture_output=True, check=False).returncode == 0, command
            for extra in re.findall(r"\[(\w+)\]'", command):
                assert f'"{extra}": ' in (ROOT / "setup.py").read_text(), command
            if "experiments/unet.py" not in command:  # test_guide's
                documents.parse(command)


@pytest.mark.parametrize(
    "command",
    [
        "colorize image photo.jpg --outptu colored",
        "colorize evaluate runs/a --split train",
        "python experiments/classification.py --variant small --set epoch=3",
        "python experiments/classification.py --preset small",
        "python experiments/tune.py runs/a --sizes 0",
        "python -m vgg_eval.export runs/a --format png -o judge.png",
        "python experiments/nothing.py",
    ],
)
def test_the_check_of_commands_sees_mistakes(house, command):
    """The test above stands on it: words with a mistake each."""
    with pytest.raises((AssertionError, ValueError, OSError)):
        documents.parse(command)


def test_chosen_commands_and_all_python_blocks_run(pages, house):
    """Oracle: exit code 0, and no exception from Python blocks, page by page, whose names are kept."""
    done = set()
    for page, blocks in pages.items():
        namespace = {}
        for block in blocks if page != ADD_A_TASK else ():
            if block.kind == "python":
                documents.execute(block, namespace)
            for command in documents.commands(block):
                cheaper, _ = cheap(command)
                if cheaper and cheaper not in done:
                    documents.run(cheaper)
                    done.add(cheaper)
    assert len(done) > 25
    assert RunFolder(house / "runs/longer").metrics().keys() == {"dev", "test"}
    assert image_files.read(house / "photo-colorized.jpg").shape == pictures.chelsea().shape


def test_every_block_says_what_it_is_and_no_entry_is_stale(pages):
    """Oracle: the blocks of all pages."""
    used = set()
    for block in (block for page in pages.values() for block in page):
        assert block.runs or block.caption or block.kind.startswith(("{", "text")), block.where
        used |= {cheap(command)[1] for command in documents.commands(block)}
    assert set(RUN) - used == set()
