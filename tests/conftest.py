"""What all tests share: --slow, where real data may lie, and runs that are trained once for all processes."""

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.scheduler import LoadFileScheduling

PARALLEL = "PYTEST_XDIST_WORKER" in os.environ
WALKTHROUGH = "it_runs_in_any_folder"

# One process trains the smoke runs, while another has walkthroughs to run, which need none; then the files
# that take longest, lest one process waits at the end.
FIRST = [
    f"test_{name}.py"
    for name in ("cli", "notebooks", "training", "docs", "export", "vgg_eval", "features", "imports")
]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do
if PARALLEL:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # each process has a core

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config, items):
    items.sort(key=order)
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


def order(item):
    """For sorting: a file's place in FIRST; those not in it come last, in their order."""
    return FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST)


class Scheduling(LoadFileScheduling):
    """A file, whose tests share fixtures, is run by one process; of the walkthroughs each for itself."""

    def _split_scope(self, nodeid):
        return nodeid if WALKTHROUGH in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data beside the checkout; the test is skipped where there is none."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data of {folder}, which is absent here")
    return folder


@pytest.fixture(scope="session")
def experiments():
    """The experiment modules, by name; they are scripts, not part of the package."""
    sys.path.insert(0, str(ROOT / "experiments"))
    names = (
        "vgg",
        "regression",
        "classification",
        "transfer",
        "figure7",
        "figure8",
        "photos",
        "preset",
        "tune",
        "grayscale",
    )
    return {name: importlib.import_module(name) for name in names}


def once(name, make, tmp_path_factory):
    """This process's own copy of what make(folder) fills in the first process that asks for it."""
    own = tmp_path_factory.getbasetemp()
    if not PARALLEL:
        make(own / name)
        return own / name
    shared, made = own.parent / name, own.parent / f"{name}.made"
    with FileLock(own.parent / f"{name}.lock"):
        if not made.exists():
            make(shared)
            made.touch()
    return shutil.copytree(shared, own / name)


@pytest.fixture(scope="session")
def smoke_folder(experiments, tmp_path_factory):
    """A folder with a run of every experiment at its smoke size."""
    return once("smoke", lambda folder: train_all(experiments, folder), tmp_path_factory)


def train_all(experiments, folder):
    """Train every experiment's smoke preset below a folder."""
    judge = ["--vgg-weights", str(folder / "vgg-smoke")]
    for name, preset, more in (
        ("vgg", "smoke", []),
        ("vgg", "smoke-gray", []),
        ("regression", "smoke", []),
        ("classification", "smoke", []),
        ("transfer", "smoke", judge),
    ):
        run_dir = folder / f"{name}-{preset}"
        assert experiments[name].main(["--preset", preset, "--run-dir", str(run_dir), *more]) == 0


@pytest.fixture(scope="session")
def smoke_runs(smoke_folder):
    """{task: run folder} of every colorizer at its smoke size."""
    return {task: smoke_folder / f"{task}-smoke" for task in ("regression", "classification", "transfer")}


@pytest.fixture(scope="session")
def smoke_figures(experiments, smoke_folder, tmp_path_factory):
    """The folder that figure7.py and figure8.py fill, from the runs that are there already."""

    def draw(folder):
        for name in ("figure7", "figure8"):
            arguments = ["--preset", "smoke", "--runs", str(smoke_folder), "-o", str(folder)]
            assert experiments[name].main(arguments) == 0

    return once("figures", draw, tmp_path_factory)


@pytest.fixture(scope="session", autouse=True)
def stored_features(tmp_path_factory):
    """Features of frozen layers go where no test leaves anything behind; subprocesses inherit it."""
    os.environ["COLORIZATION_DATA"] = str(tmp_path_factory.mktemp("data"))
