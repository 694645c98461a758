"""What is imported when: `--help`, `import colorization` and what runs without Keras wait for nothing slow."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from skimage import data

from colorization.core import image_files

ROOT = Path(__file__).resolve().parents[2]
SLOW = {"tensorflow", "keras", "jax", "torch", "matplotlib"}
EXPERIMENTS = sorted(path.name for path in (ROOT / "experiments").glob("*.py"))
# They run without Keras: reading data and runs, films, exported models. The command line starts it when it must.
QUICK = [
    "colorization", "colorization.cli.main", "colorization.cli.experiment", "colorization.cli.train",
    "colorization.cli.prepare", "colorization.cli.image", "vgg_eval.commands", "vgg_eval.plugin",
    "colorization.cli.film", "colorization.cli.presets", "colorization.datasets", "colorization.datasets.loading",
    "colorization.inference.films.film", "colorization.inference.loading", "colorization.inference.runtimes",
    "colorization.runs.folder", "colorization.runs.resolve", "colorization.core.color_numpy",
    "colorization.core.color_prior", "colorization.core.config", "colorization.core.image_files", "vgg_eval.config",
    "colorization.core.pictures", "colorization.core.pictures.writing",
]  # fmt: skip


def run(*arguments, cwd=ROOT, **environment):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def loaded(process):
    """The packages that -X importtime tells of."""
    return {line.rpartition("|")[2].strip().split(".")[0] for line in process.stderr.splitlines()}


def test_light_modules_import_nothing_slow():
    """Oracle: sys.modules of a fresh process after all of them were imported."""
    script = f"import sys, {', '.join(QUICK)}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    process = run("-c", script)
    assert process.returncode == 0, process.stderr
    found = set(process.stdout.split())
    assert {"colorization", "vgg_eval"} <= found
    assert not found & SLOW


def test_coloring_needs_the_base_installation_only():
    """Oracle: a process in which the packages of setup.py's extras cannot be imported."""
    setup = (ROOT / "setup.py").read_text()
    required = r'"([\w-]+)(?:\[[\w-]+\])?[<>]'
    base = re.findall(required, setup[setup.index("install_requires") : setup.index("extras_require")])
    extra = set(re.findall(required, setup)) - set(base)
    assert {"numpy", "filelock"} <= set(base)
    assert {"keras", "tensorflow", "scikit-image"} <= extra
    absent = {name.replace("scikit-image", "skimage").replace("-", "_"): None for name in extra}
    script = (
        f"import sys; sys.modules.update({absent})\n"
        f"import {', '.join(QUICK)}, numpy as np; from colorization import load\n"
        "load('cifar10-classification').hinted(np.zeros((8, 8), 'uint8'))"
    )
    process = run("-c", script)
    assert process.returncode == 0, process.stderr


def test_the_package_imports_none_of_its_modules():
    """Oracle: sys.modules of a fresh process."""
    script = (
        "import sys, colorization; print(*[name for name in sys.modules if name.startswith('colorization.')])"
    )
    assert run("-c", script).stdout.split() == []


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "colorization.cli", "--help"],
        *(
            ["-m", "colorization.cli", name, "--help"]
            for name in ("image", "film", "export", "evaluate", "figures", "presets")
        ),
        *(
            ["-m", "colorization.cli", name, "--help"]
            for name in ("prepare", "train", "tune", "figure7", "figure8")
        ),
        ["-m", "colorization.cli", "train", "judge", "--help"],
        ["-m", "colorization.cli", "presets", "make", "--help"],
        ["-m", "vgg_eval.grayscale", "--help"],
        ["data/prepare.py", "--help"],
        ["-m", "vgg_eval.export", "--help"],
        *([f"experiments/{name}", "--help"] for name in EXPERIMENTS),
    ],
    ids=" ".join,
)
def test_help_waits_for_nothing_slow(command):
    """Oracle: the interpreter's own list of what it imported, -X importtime."""
    process = run("-X", "importtime", *command)
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("usage: ")
    assert "colorization" in loaded(process)
    assert not loaded(process) & SLOW


def test_a_preset_colors_without_keras_and_reports_nothing(tmp_path):
    """Oracle: the interpreter's list of imports; the home folder, where onnxruntime keeps its telemetry's
    identifier unless that is off."""
    image_files.write(tmp_path / "a.png", data.chelsea()[:40, :40])
    (tmp_path / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    command = [
        "-X",
        "importtime",
        "-m",
        "colorization.cli",
        "image",
        tmp_path / "a.png",
        "-o",
        tmp_path / "out",
    ]
    process = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**kept, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not loaded(process) & SLOW
    assert image_files.read(tmp_path / "out" / "a.png").shape == (40, 40, 3)
    assert not list((tmp_path / "home").rglob("*onnxruntime*"))
