"""What all tests share: --slow, and where real data may lie."""

import importlib.util
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = Path(__file__).parents[1]


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
    """The experiment modules, by name; they are scripts, not part of the package."""
    return {path.stem: _script(path) for path in (ROOT / "experiments").glob("*.py") if path.stem != "demo"}


@pytest.fixture(scope="session")
def smoke_runs(experiments, tmp_path_factory):
    """{task: run folder} of every experiment at its smoke size, trained once for all tests."""
    folder = tmp_path_factory.mktemp("smoke")
    for name, script in experiments.items():
        code = script.main(
            script.__doc__, script.PRESETS, ["--preset", "smoke", "--run-dir", str(folder / name)]
        )
        assert code == 0
    return {name: folder / name for name in experiments}


def _script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
