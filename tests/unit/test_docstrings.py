"""The examples in docstrings run, and the tables of RESULTS.md are those of the files."""

import doctest
import importlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {
    "colorization.core.color": {"rgb_to_lab", "lab_to_rgb", "fit_gamut"},
    "colorization.core.color_difference": {"ciede2000"},
    "colorization.core.bins": {"nearest", "soft_encode", "decode_mode", "annealed_mean"},
    "colorization.core.losses": {"squared_error", "soft_cross_entropy"},
    "colorization.core.metrics": {"auc", "colorfulness"},
    "colorization.core.color_prior": {"rebalancing_weights"},
    "colorization.models.nine_blocks": {"classification"},
    "colorization.datasets.splits": {"split"},
    "colorization.inference.loading": {"load"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name):
    """Oracle: the printed results in the docstrings; every function of the list has an example."""
    module = importlib.import_module(name)
    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert {test.name.rpartition(".")[2] for test in tests} == EXAMPLES[name]
    for test in tests:
        assert doctest.DocTestRunner().run(test).failed == 0


def test_results_tables_are_those_of_the_files():
    """Oracle: results/make_tables.py on the metrics files of the presets and of results/."""
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "results/make_tables.py")
    make_tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_tables)
    text = make_tables.RESULTS.read_text(encoding="utf-8")
    assert make_tables.filled(text) == text
    assert len(text.encode()) < 12_000
