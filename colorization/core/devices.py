"""The devices of this machine, and the settings that suit them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from colorization.core.errors import InputError


def accelerators() -> list[str]:
    """Names of the accelerators that Keras's backend sees; empty on a CPU."""
    return [name for name in keras.distribution.list_devices() if not name.lower().startswith("cpu")]


def precision(setting: str) -> str:
    """The dtype policy for a setting.

    Args:
        setting: the config's `precision`.

    Returns:
        Name of a Keras dtype policy. For "auto" it is mixed_bfloat16 if the hardware computes it fast.
    """
    if setting != "auto":
        return setting
    return "mixed_bfloat16" if _computes_bfloat16() else "float32"


def jit(setting: str, strategy: Any) -> bool | str:
    """The argument jit_compile of model.compile for a setting.

    XLA ran this network 2 to 12 times slower on CPUs than TensorFlow's own kernels. JAX always compiles.
    Keras does not compile under a TensorFlow strategy.

    Args:
        setting: the config's `jit`: "auto", "on" or "off".
        strategy: a TensorFlow distribution strategy, or None.

    Returns:
        True, False or "auto".

    Raises:
        InputError: `on` with a strategy.
    """
    if strategy:
        if setting == "on":
            raise InputError("jit=on does not work with several TensorFlow devices. Use jit=auto.")
        return False
    if setting != "auto":
        return setting == "on"
    return bool(accelerators()) if keras.backend.backend() == "tensorflow" else "auto"


def compiled(function: Callable, setting: str) -> Callable:
    """Compile a function of tensors by XLA where TensorFlow would run its operations one by one, on a CPU.

    For the feed and the loss, which are long chains of small operations, this halves the time. A network of
    convolutions would be slower, see jit.

    Args:
        function: of tensors, written in keras.ops.
        setting: the config's `jit`: "auto", "on" or "off".

    Returns:
        The compiled function; the function itself for "off", with an accelerator, and on other backends.
    """
    if keras.backend.backend() != "tensorflow" or setting == "off" or accelerators():
        return function
    import tensorflow as tf

    return tf.function(function, autograph=False, jit_compile=True)


def strategy(setting: str) -> Any:
    """The distribution strategy for a setting.

    Args:
        setting: the config's `distribute`: "auto", "mirrored" or "off".

    Returns:
        A MirroredStrategy, or None. For "auto" it is a MirroredStrategy if TensorFlow has several GPUs.

    Raises:
        InputError: `mirrored` on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        if setting == "mirrored":
            raise InputError("distribute=mirrored works with TensorFlow only. Use distribute=auto.")
        return None
    if setting == "off":
        return None
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if setting == "auto" and len(gpus) < 2:
        return None
    chosen = gpus or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in chosen])


def feed_device(model: keras.Model) -> str | None:
    """The TensorFlow GPU to which the training batches are sent in advance.

    Args:
        model: the keras.Model to train.

    Returns:
        Name of the first GPU, such as "/gpu:0". None without a GPU, on other backends, and under a
        distribution strategy, which distributes the batches itself.
    """
    if keras.backend.backend() != "tensorflow" or not accelerators():
        return None
    import tensorflow as tf

    is_alone = model.distribute_strategy is tf.distribute.get_strategy()
    return f"/{accelerators()[0]}" if is_alone else None


def _computes_bfloat16():
    backend = keras.backend.backend()
    if not accelerators():
        return backend == "tensorflow" and _cpu_computes_bfloat16()
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


def _cpu_computes_bfloat16():
    """Whether TensorFlow's kernels (oneDNN) train faster in bfloat16 on this CPU.

    The rate of training, relative to float32: AMD's avx512_bf16 1.15, Intel's without AMX 0.74, with AMX 1.36
    for the classification and 1.59 for the judge.
    """
    info = cpu_info()
    return "amx_bf16" in info or ("avx512_bf16" in info and "AuthenticAMD" in info)


def cpu_info() -> str:
    """The text of /proc/cpuinfo; empty where there is none."""
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""
