"""The structure of the code: who imports whom, where, and how long functions and modules are."""

import ast
import statistics
from pathlib import Path

import pytest

import colorization

ROOT = Path(__file__).resolve().parents[2]

# From the top down: an import goes to a later line, or stays in its package.
ORDER = [
    "vgg_eval",
    "colorization.cli",
    "colorization.export",
    "colorization.evaluation",
    "colorization.training",
    "colorization.inference",
    "colorization.presets",
    "colorization.runs",
    "colorization.models",
    "colorization.datasets",
    "colorization.core",
]
PUBLIC = {"Colorizer", "InputError", "evaluate", "export_model", "load", "train"}
# Packages that need not be installed, or are not where Keras runs on JAX. They may be imported in functions.
OPTIONAL = {
    "tensorflow",
    "tensorboard",
    "jax",
    "onnx",
    "tf2onnx",
    "av",
    "imagecodecs",
    "pillow_heif",
    "tifffile",
    "ai_edge_litert",
    "onnxruntime",
    "keras",
    "pyarrow",
}
IMPORTS_LATER = {"colorization.cli.main"}

FILES = {
    ".".join(part for part in path.relative_to(ROOT).with_suffix("").parts if part != "__init__"): path
    for name in ("colorization", "vgg_eval")
    for path in sorted((ROOT / name).rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def package_of(module):
    """The line of ORDER that a module belongs to; None for `colorization` itself."""
    return next((name for name in ORDER if module == name or module.startswith(f"{name}.")), None)


def targets(node):
    """The modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute"
        whole = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in FILES else node.module for name in whole]
    return []


def imports(module):
    """Everything that a module imports, functions included."""
    return [name for node in ast.walk(TREES[module]) for name in targets(node)]


def functions(module):
    """The function definitions of a module, methods and nested ones included."""
    return [
        node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines(node):
    return node.end_lineno - node.lineno + 1


def code_lines(node):
    """Lines of a function without its docstring."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    return lines(node) - (lines(first) if documented else 0)


def test_every_module_belongs_to_a_package():
    """Oracle: the folders; few modules stand above them."""
    assert [name for name in FILES if name != "colorization" and package_of(name) is None] == []
    assert len(list((ROOT / "colorization").glob("*.py"))) <= 4
    assert {package_of(name) for name in FILES} - {None} == set(ORDER)


@pytest.mark.parametrize("module", [name for name in FILES if package_of(name)])
def test_imports_go_downwards(module):
    """Oracle: the order above, against the syntax tree."""
    own = ORDER.index(package_of(module))
    upwards = [name for name in imports(module) if package_of(name) and ORDER.index(package_of(name)) < own]
    assert not upwards


def test_the_reading_of_imports_sees_them():
    """Oracle: a few imports, looked up by hand: of a module, of a name, and inside a function."""
    assert "colorization.core.bins" in imports("colorization.models.nine_blocks")
    assert "colorization.core.errors" in imports("colorization.runs.folder")
    assert "av" in imports("colorization.inference.films.film_reading")
    assert package_of("colorization.core.color") == "colorization.core"
    assert package_of("colorization") is None


@pytest.mark.parametrize("module", [name for name in FILES if name not in IMPORTS_LATER])
def test_only_optional_packages_are_imported_in_functions(module):
    """Oracle: the syntax tree."""
    late = {
        name.split(".")[0]
        for function in functions(module)
        for node in ast.walk(function)
        for name in targets(node)
    }
    assert late <= OPTIONAL


def test_functions_and_modules_are_short():
    """Oracle: the syntax tree, lines counted from `def` to the last one; the median without docstrings."""
    long = {
        f"{module}.{node.name}": lines(node)
        for module in FILES
        for node in functions(module)
        if lines(node) > 60
    }
    assert not long
    assert statistics.median(code_lines(node) for module in FILES for node in functions(module)) < 8
    modules = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in FILES.items()}
    assert {name: count for name, count in modules.items() if count > 350} == {}


def test_the_package_offers_its_names():
    """Oracle: the list; each is what its docstring says."""
    assert set(colorization.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(colorization, name).__doc__
    with pytest.raises(AttributeError):
        _ = colorization.nothing
