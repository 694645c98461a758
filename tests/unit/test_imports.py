"""The layering of the house, what may be slow to import, and the backend-neutral tests on JAX."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the top down: an import goes to a later line only.
LAYERS = [
    "vgg_eval",
    "vgg_eval.export",
    "vgg_eval.chain",
    "vgg_eval.report",
    "vgg_eval.figures",
    "vgg_eval.temperatures",
    "vgg_eval.comparison",
    "vgg_eval.judging",
    "vgg_eval.training",
    "vgg_eval.methods",
    "vgg_eval.classifier",
    "vgg_eval.config",
    "colorization",
    "cli",
    "experiment",
    "command",
    "export",
    "exported",
    "figures",
    "inference",
    "evaluation",
    "training",
    "fitting",
    "features",
    "pretrained",
    "runs",
    "prediction",
    "pipelines",
    "datasets",
    "datasets.cifar",
    "datasets.folder",
    "datasets.photos",
    "datasets.prepared",
    "datasets.splits",
    "datasets.synthetic",
    "datasets.base",
    "images",
    "film",
    "steady",
    "hardware",
    "tasks",
    "models",
    "models.transfer",
    "models.vgg",
    "models.nine_blocks",
    "losses",
    "metrics",
    "weights",
    "statistics",
    "presets",
    "bins",
    "color",
    "config",
    "files",
    "errors",
]
SLOW = {"tensorflow", "keras", "jax", "torch", "matplotlib"}
# What may know Keras and TensorFlow; the rest is plain Python and NumPy, and quick to import.
QUICK = [
    "colorization",
    "cli",
    "experiment",
    "exported",
    "presets",
    "datasets",
    "images",
    "film",
    "steady",
    "command",
    "config",
    "files",
    "errors",
]
QUICK += [name for name in LAYERS if name.startswith("datasets.")]


def layer_name(dotted):
    """The name in LAYERS of a module: those of colorization go without its name."""
    return dotted.removeprefix("colorization.")


def module_name(path):
    """The name in LAYERS of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return layer_name(".".join(part for part in parts if part != "__init__"))


PACKAGES = ("colorization", "vgg_eval")
FILES = {module_name(path): path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))}


def imports(name):
    """The modules of the project that a module imports anywhere in its text, functions included."""
    path = FILES[name]
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            if base in PACKAGES:
                targets = [f"{base}.{alias.name}" for alias in node.names if alias.name != "__version__"]
            else:
                submodules = [f"{base}.{alias.name}" for alias in node.names]
                targets = [name for name in submodules if layer_name(name) in FILES] or [base]
        else:
            continue
        for target in targets:
            if target.split(".")[0] in PACKAGES:
                yield layer_name(target)


def test_every_module_has_its_layer():
    assert sorted(LAYERS) == sorted(FILES)


@pytest.mark.parametrize("name", LAYERS)
def test_imports_go_downwards(name):
    """Oracle: the list above, against the syntax tree."""
    below = LAYERS[LAYERS.index(name) + 1 :]
    upwards = [target for target in imports(name) if target not in below]
    assert not upwards, f"{name} imports {upwards}"


def test_the_reading_of_imports_sees_them():
    """Oracle: a few imports, looked up by hand: lazy, relative, absolute, and of a parent's parent."""
    assert {"exported", "inference", "evaluation", "figures", "errors"} <= set(imports("cli"))
    assert {"datasets.base", "errors"} <= set(imports("datasets.splits"))
    assert set(imports("models.nine_blocks")) == {"bins"}
    assert set(imports("errors")) == set()
    assert {"report", "training"} <= {name.removeprefix("vgg_eval.") for name in imports("vgg_eval.chain")}


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )


def test_light_modules_import_nothing_slow():
    """Oracle: sys.modules of a fresh process after all of them were imported."""
    names = ["colorization" if name == "colorization" else f"colorization.{name}" for name in QUICK]
    script = f"import sys, {', '.join(names)}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    process = run("-c", script)
    assert process.returncode == 0, process.stderr
    loaded = set(process.stdout.split())
    assert "colorization" in loaded
    assert not loaded & SLOW


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "colorization.cli", "--help"],
        ["-m", "colorization.cli", "image", "--help"],
        ["-m", "colorization.cli", "export", "--help"],
        ["-m", "vgg_eval.export", "--help"],
        ["experiments/regression.py", "--help"],
        ["experiments/classification.py", "--help"],
        ["experiments/vgg.py", "--help"],
        ["experiments/transfer.py", "--help"],
        ["experiments/figure7.py", "--help"],
        ["experiments/figure8.py", "--help"],
        ["experiments/photos.py", "--help"],
        ["experiments/preset.py", "--help"],
        ["experiments/tune.py", "--help"],
        ["experiments/grayscale.py", "--help"],
    ],
    ids=" ".join,
)
def test_help_waits_for_nothing_slow(command):
    """Oracle: the interpreter's own list of what it imported, -X importtime."""
    process = run("-X", "importtime", *command)
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("usage: ")
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in process.stderr.splitlines()}
    assert "colorization" in loaded
    assert not loaded & SLOW


ESSENCE = "scikit_image or just_so_far or encoding_is_exact or formula or dense_ones or squared_error"


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the run on JAX")
@pytest.mark.parametrize("chosen", [ESSENCE, pytest.param("not tensorflow", marks=pytest.mark.slow)])
def test_colors_bins_losses_and_metrics_on_jax(chosen):
    """Oracle: the oracles of those files' own tests; in a process of its own, with warnings as errors too."""
    pytest.importorskip("jax")
    names = [f"tests/test_{name}.py" for name in ("color", "bins", "losses", "metrics")]
    options = ["-q", "-p", "no:cacheprovider", "-k", chosen]
    process = run("-m", "pytest", *options, *names, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    assert process.returncode == 0, process.stdout + process.stderr
