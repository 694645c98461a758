"""Docstrings have one style, their examples run, and the tables of RESULTS.md are those of the files."""

import ast
import doctest
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((*ROOT.glob("colorization/**/*.py"), *ROOT.glob("vgg_eval/*.py")))
SECTIONS = r"(Args|Attributes|Yields|Returns|Raises|Example):"
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


def public_functions(path):
    """(name, node, names of the parameters) of the public functions and methods of a module.

    Methods that override a method of Keras are left out: Keras documents their parameters.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, parameters(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            of_keras = any(re.match(r"keras\.|layers\.", ast.unparse(base)) for base in node.bases)
            for method in node.body:
                if not isinstance(method, ast.FunctionDef) or method.name.startswith("_"):
                    continue
                if of_keras and (method.name.startswith("on_") or method.name in ("call", "get_config")):
                    continue
                yield f"{node.name}.{method.name}", method, parameters(method)[1:]


def parameters(node):
    arguments = node.args
    several = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *several]


def documented(docstring, section):
    """Names before the colons of a section, as in "truth, prediction: (N,) float"."""
    found = re.search(rf"^{section}:\n((?:    .*\n|\n)+)", f"{docstring}\n", re.MULTILINE)
    heads = re.findall(r"^    ([\w., ]+):", found[1], re.MULTILINE) if found else []
    return [name for head in heads for name in head.split(", ")]


def raised(node):
    """Names of the exceptions that a function raises itself, functions within it included."""
    errors = (inner.exc for inner in ast.walk(node) if isinstance(inner, ast.Raise) and inner.exc)
    names = {ast.unparse(error.func if isinstance(error, ast.Call) else error) for error in errors}
    return {name for name in names if name.rpartition(".")[2][0].isupper()}  # not a function's result


def faults(path):
    """Sentences about public functions whose docstring or annotations are incomplete."""
    for name, node, arguments in public_functions(path):
        docstring, names = ast.get_docstring(node) or "", [argument.arg for argument in arguments]
        if documented(docstring, "Args") != names:
            yield f"{name}: Args names {documented(docstring, 'Args')}, the function takes {names}"
        returns = ast.unparse(node.returns) if node.returns else "nothing"
        if names and returns != "None" and not re.search("^(Returns|Yields):$", docstring, re.MULTILINE):
            yield f"{name}: no section tells what {returns} is"
        if not node.returns or not all(argument.annotation for argument in arguments):
            yield f"{name}: an annotation is missing"
        if missing := raised(node) - set(documented(docstring, "Raises")):
            yield f"{name}: Raises lacks {', '.join(sorted(missing))}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_functions_document_arguments_results_and_errors(path):
    """Oracle: the signatures and the raise statements in the syntax tree."""
    assert list(faults(path)) == []


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
