"""A trained run -> a file or folder that colours pictures where this project is not installed.

The whole way is in it, by the very functions that Colorizer uses: uint8 picture -> lightness -> network ->
decoding -> the picture's own lightness -> uint8 RGB.
"""

import contextlib
import importlib.util
import io
import logging
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

from . import bins, color, exported, prediction, runs, tasks
from .errors import InputError
from .files import TEMPORARY, replacing

FORMATS = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
"""Format -> suffix of its files; a SavedModel is a folder."""

IMAGE, TEMPERATURE = "image", "temperature"  # names of the inputs
_OPSET = 18  # of ONNX


def export(run_dir, format, path, *, decoding=None, working_size=None, size=None):
    """Write a colorizer's run in another format, whole or not at all.

    Args:
        run_dir: the run folder.
        format: one of FORMATS. keras holds the network alone: lightness to the task's output.
        path: of the new file, or of the new folder for savedmodel.
        decoding: one of the task's; None is its default.
        working_size: as of Colorizer.load.
        size: (height, width) of the pictures; None: any, which LiteRT cannot.

    Raises:
        InputError: the run is not usable, the format cannot do what is asked, or it cannot be written.
    """
    run_dir, path = Path(run_dir), Path(path)
    if path.exists() and path != run_dir / exported.ONNX:  # that one follows its run
        raise InputError(f"{path} is there already: give another path.")
    _check(format, path, size)
    settings, model = runs.load_model(run_dir)
    if format == "keras":
        with replacing(path) as temporary:
            model.save(temporary)
        return
    module = _module(model, tasks.of(settings), decoding, working_size or settings.image_size, size)
    if format == "onnx":
        plain = decoding is working_size is size is None
        _onnx(module, path, exported.fingerprint(run_dir) if plain else "")
    else:
        {"savedmodel": _savedmodel, "litert": _litert}[format](module, path)


def _check(format, path, size):
    if path.suffix != FORMATS[format] and FORMATS[format]:
        raise InputError(
            f"{path} cannot be written: a file of the format {format} ends in {FORMATS[format]}."
        )
    if format != "keras" and keras.backend.backend() != "tensorflow":
        raise InputError(f"The format {format} is written by TensorFlow: leave KERAS_BACKEND unset.")
    if format == "litert" and size is None:
        raise InputError("LiteRT takes pictures of one size only: give it by --size HEIGHTxWIDTH.")
    if format == "onnx" and importlib.util.find_spec("tf2onnx") is None:
        raise InputError("The format onnx needs tf2onnx: pip install 'colorization[export]'.")


def _module(model, task, decoding, working_size, size):
    """A tf.Module with the two functions that are exported: colorize and analyze."""
    import tensorflow as tf

    _, decode = tasks.decoding(task, decoding)
    default = tf.constant(bins.TEMPERATURE)
    signature = [
        tf.TensorSpec([1, *size, 3] if size else [None] * 4, tf.uint8, name=IMAGE),
        tf.TensorSpec([], tf.float32, name=TEMPERATURE),
    ]

    def predicted(lightness, decode, temperature):
        shape = prediction.working_shape(model, *ops.shape(lightness)[1:3], working_size)
        return prediction.ab_at(model, decode, lightness, temperature, shape)

    def with_entropy(output, temperature):
        return ops.concatenate([decode(output, temperature), task.entropy(output, temperature)], axis=-1)

    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        @tf.function(input_signature=signature)
        def colorize(self, image, temperature=default):
            lightness = _lightness(image)
            return {"rgb": prediction.rgb_of(lightness, predicted(lightness, decode, temperature))}

        @tf.function(input_signature=signature)
        def analyze(self, image, temperature=default):
            lightness = _lightness(image)
            if task.entropy is None:
                return {"ab": predicted(lightness, decode, temperature)}
            found = predicted(lightness, with_entropy, temperature)
            return {"ab": found[..., :2], "entropy": found[..., 2]}

    return Exported()


def _lightness(image):
    """L, (B, H, W, 1) float32, of a batch of grey or RGB pictures, (B, H, W, 1 or 3) uint8."""
    rgb = ops.broadcast_to(ops.cast(image, "int32"), (*ops.shape(image)[:3], 3))
    return color.rgb_to_lab(ops.cast(rgb, "uint8"))[..., :1]


def _savedmodel(module, path):
    import tensorflow as tf

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=path.parent) as scratch:
            new = Path(scratch) / "model"
            signatures = {"serving_default": module.colorize, "analyze": module.analyze}
            with _quiet():
                tf.saved_model.save(module, new, signatures=signatures)
            new.rename(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _onnx(module, path, origin):
    """Write ONNX; `origin` is the fingerprint of the run for which it may stand, if any."""
    import onnx
    import tf2onnx

    with _quiet():
        model, _ = tf2onnx.convert.from_function(
            module.colorize, input_signature=module.colorize.input_signature, opset=_OPSET
        )
    # An input that has an initial value of the same name may be left out
    default = onnx.numpy_helper.from_array(np.array(bins.TEMPERATURE, "float32"), TEMPERATURE)
    model.graph.initializer.append(default)
    onnx.helper.set_model_props(model, {exported.ORIGIN: origin})
    try:
        onnx.checker.check_model(model)  # tf2onnx writes what it cannot convert, and only logs it
    except onnx.checker.ValidationError as error:
        raise InputError(f"{path} cannot be written: ONNX lacks what this model needs ({error}).") from error
    with replacing(path) as temporary:
        onnx.save(model, temporary)


def _litert(module, path):
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    # Frozen by hand: TensorFlow 2.21's converter leaves variables out without a word
    frozen = convert_variables_to_constants_v2(module.colorize.get_concrete_function())
    with _quiet():
        data = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def _quiet():
    """Without what converters print and log as they go."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
