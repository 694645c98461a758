"""Shared by all tests: --slow, the real data, the experiments, and run folders."""

import dataclasses
import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

PARALLEL = "PYTEST_XDIST_WORKER" in os.environ

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do
if PARALLEL:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # each process has a core

ROOT = Path(__file__).parents[1]
RUNS = Path(__file__).parent / "data" / "runs-0.1"


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: pass --slow"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data beside the checkout; the test is skipped where there is none."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data of {folder}, which is absent here")
    return folder


@pytest.fixture(scope="session")
def experiments():
    """{name: module} of the experiments; they are scripts, not part of a package."""
    sys.path.insert(0, str(ROOT / "experiments"))
    names = sorted(path.stem for path in (ROOT / "experiments").glob("*.py"))
    return {name: importlib.import_module(name) for name in names}


@pytest.fixture(scope="session")
def old_runs(tmp_path_factory):
    """{task: run folder}: copies of the runs that version 0.1 trained, tiny and nearly gray. Not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copytree(RUNS, folder, dirs_exist_ok=True)
    return {path.name: path for path in folder.iterdir() if path.is_dir()}


@pytest.fixture
def old_run(old_runs, tmp_path):
    """Function of a task: a copy of its run of version 0.1, to be changed."""
    return lambda task, name="run": shutil.copytree(old_runs[task], tmp_path / name)


@pytest.fixture(scope="session")
def used(old_runs, tmp_path_factory):
    """figure7.Runs of version 0.1; the control is the judge under another name, which sees gray images."""
    from colorization.runs import RunFolder
    from vgg_eval.figure7 import Runs

    control = RunFolder(shutil.copytree(old_runs["vgg"], tmp_path_factory.mktemp("control") / "vgg-grey"))
    control.write_config(dataclasses.replace(control.config, gray=True))
    colorizers = {task: RunFolder(old_runs[task]) for task in ("regression", "classification", "transfer")}
    return Runs(colorizers, RunFolder(old_runs["vgg"]), control)


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory):
    """Features of frozen layers go where no test leaves anything behind; subprocesses inherit it."""
    os.environ["COLORIZATION_DATA"] = str(tmp_path_factory.mktemp("data"))
