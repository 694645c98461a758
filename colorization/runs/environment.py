"""The software and the machine of a training, for the run folder."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import keras

from colorization.core.devices import accelerators, cpu_info


def environment() -> dict[str, Any]:
    """Versions, devices and the state of the code, as a JSON-able dict."""
    packages = (
        "keras-colorization",
        "keras",
        keras.backend.backend(),
        "numpy",
        "scikit-image",
        "opencv-python-headless",
    )
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "backend": keras.backend.backend(),
        "devices": accelerators() or ["cpu"],
        "packages": {name: _version(name) for name in packages},
        "git": _git(),
    }


def _processor():
    names = [
        line.split(":", 1)[1].strip() for line in cpu_info().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else platform.processor()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git():
    """Commit of the checkout of the package, with "+" if files have changed; None outside a checkout."""
    folder = Path(__file__).parent
    checkout = folder.parents[1]

    def ask(*words):
        return subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        if Path(ask("rev-parse", "--show-toplevel")) != checkout.resolve():
            return None  # the package is installed inside a checkout of another project
        return ask("rev-parse", "HEAD") + (
            "+" if ask("status", "--porcelain", "--untracked-files=no") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None
