"""What this machine is good at, and how it is written down in a run folder."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import keras

from .errors import InputError


def devices():
    """Names of the accelerators that Keras's backend sees; empty on a CPU."""
    return [name for name in keras.distribution.list_devices() if not name.lower().startswith("cpu")]


def precision(setting):
    """The dtype policy for a `precision` setting; "auto" is mixed_bfloat16 where hardware computes it."""
    if setting != "auto":
        return setting
    return "mixed_bfloat16" if _computes_bfloat16() else "float32"


def jit(setting, strategy):
    """model.compile's jit_compile for a config's `jit`, under a strategy or None.

    On CPUs XLA ran this network 2 to 12 times slower than TensorFlow's own kernels; JAX always compiles;
    Keras does not compile under a TensorFlow strategy. Raises InputError where `on` cannot be.
    """
    if strategy:
        if setting == "on":
            raise InputError("jit=on does not go with several TensorFlow devices: leave it at auto.")
        return False
    if setting != "auto":
        return setting == "on"
    return bool(devices()) if keras.backend.backend() == "tensorflow" else "auto"


def strategy(setting):
    """A MirroredStrategy for a config's `distribute`, or None; auto takes one for several TensorFlow GPUs."""
    if keras.backend.backend() != "tensorflow" or setting == "off":
        return None
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if setting == "auto" and len(gpus) < 2:
        return None
    chosen = gpus or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in chosen])


def environment():
    """Versions, devices and the state of the code, as a JSON-able dict."""
    packages = (
        "colorization",
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
        "devices": devices() or ["cpu"],
        "packages": {name: _version(name) for name in packages},
        "git": _git(),
    }


def _computes_bfloat16():
    backend = keras.backend.backend()
    if not devices():
        # Only TensorFlow's CPU kernels (oneDNN) were measured to be faster in bfloat16.
        return backend == "tensorflow" and "avx512_bf16" in _cpu_info()
    if backend == "tensorflow":
        import tensorflow as tf

        details = [
            tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")
        ]
        return all(detail.get("compute_capability", (0, 0)) >= (8, 0) for detail in details)
    if backend == "jax":
        import jax

        return all(float(getattr(device, "compute_capability", 0)) >= 8 for device in jax.devices())
    return False


def _cpu_info():
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def _processor():
    names = [
        line.split(":", 1)[1].strip() for line in _cpu_info().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else platform.processor()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git():
    """Commit of the checkout that the package runs from, "+" if files differ from it; None outside of one."""
    folder = Path(__file__).parent

    def ask(*words):
        return subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        return ask("rev-parse", "HEAD") + (
            "+" if ask("status", "--porcelain", "--untracked-files=no") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None
