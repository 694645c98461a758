"""A trained run -> a file or folder that colors pictures where this project is not installed.

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

from colorization.core import color
from colorization.core.atomic_io import TEMPORARY, replacing
from colorization.core.errors import InputError
from colorization.inference import colorizer, graph, runtimes
from colorization.models import tasks

FORMATS = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
"""Format -> suffix of its files; a SavedModel is a folder."""

_OPSET = 18  # of ONNX


def export(run_dir, format, path, *, decoding=None, working_size=None, size=None, half=False):
    """Write a colorizer's run in another format, whole or not at all.

    Args:
        run_dir: the run folder.
        format: one of FORMATS. keras holds the network alone: lightness to the task's output.
        path: of the new file, or of the new folder for savedmodel.
        decoding: one of the task's; None is its default.
        working_size: as of Colorizer.load.
        size: (height, width) of the pictures; None: any, which LiteRT cannot.
        half: keep onnx's kernels in float16; it computes in float32 all the same.

    Raises:
        InputError: the run is not usable, the format cannot do what is asked, or it cannot be written.
    """
    run_dir, path = Path(run_dir), Path(path)
    plain = decoding is working_size is size is None
    if path != run_dir / runtimes.ONNX:  # that one follows its run
        refuse_existing(path)
    elif not plain:
        raise InputError(
            f"{path} stands for its run as it is: give another path to a decoding, a working size or a size."
        )
    check(format, path, size)
    if format == "keras" and not plain:
        raise InputError("A .keras file holds the network alone: it takes no decoding, working size or size.")
    colorizer = colorizer.Colorizer.load(run_dir, working_size)
    if format == "keras":
        with replacing(path) as temporary:
            colorizer.model.save(temporary)
        return
    module = _module(colorizer, decoding, size)
    origin = {runtimes.ORIGIN: runtimes.fingerprint(run_dir)} if plain else {}
    functions = {"serving_default": module.colorize, "analyze": module.analyze}
    takes_temperature = tasks.takes_temperature(colorizer.task, decoding)
    defaults = {"temperature": colorizer.temperature} if takes_temperature else {}
    write(module, functions, format, path, defaults=defaults, properties=origin, half=half)


def refuse_existing(path):
    """Raise InputError if there is something at a path."""
    if path.exists():
        raise InputError(f"{path} is there already: give another path.")


def check(format, path, size):
    """Raise InputError for what can be seen to fail before anything is loaded.

    Args:
        format: one of FORMATS.
        path: Path of the new file.
        size: None or (height, width) of the pictures.
    """
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


def image_spec(size):
    """The tf.TensorSpec of a batch of pictures: any number, size and kind, or one RGB picture of a size."""
    import tensorflow as tf

    return tf.TensorSpec([1, *size, 3] if size else [None] * 4, tf.uint8, name="image")


def as_rgb(image):
    """(B, H, W, 3) of a batch of gray or RGB pictures, (B, H, W, 1 or 3) uint8."""
    return ops.cast(ops.broadcast_to(ops.cast(image, "int32"), (*ops.shape(image)[:3], 3)), "uint8")


def write(module, functions, format, path, *, defaults=None, properties=None, half=False):
    """Write tf.functions as savedmodel, onnx or litert, whole or not at all.

    Args:
        module: the tf.Module that holds their variables.
        functions: {name: tf.function with an input signature}; onnx and litert take the first alone.
        format: one of FORMATS but keras.
        path: Path of the new file or folder.
        defaults: {name of an input: number} that ONNX takes where the input is left out, and LiteRT, which
            has no defaults, where it is negative.
        properties: {name: text}, kept in an ONNX file's metadata.
        half: as of export.

    Raises:
        InputError: ONNX lacks what is needed, or the file cannot be written.
    """
    first = next(iter(functions.values()))
    if format == "savedmodel":
        _savedmodel(module, functions, path)
    elif format == "onnx":
        _onnx(first, path, defaults or {}, properties or {}, half)
    else:
        _litert(first, path, defaults or {})


def _module(colorizer, decoding, size):
    """A tf.Module with the two functions that are exported: colorize and analyze.

    Their second input, the temperature, is there if the decoding takes one.
    """
    import tensorflow as tf

    model, task, working_size = colorizer.model, colorizer.task, colorizer.working_size
    _, decode = tasks.decoding(task, decoding)
    signature, default = [image_spec(size)], None
    if tasks.takes_temperature(task, decoding):
        signature.append(tf.TensorSpec([], tf.float32, name="temperature"))
        default = tf.constant(colorizer.temperature, "float32")

    def predicted(lightness, decode, temperature):
        shape = graph.working_shape(model, *ops.shape(lightness)[1:3], working_size)
        return graph.ab_at(model, decode, lightness, temperature, shape)

    def with_entropy(output, temperature):
        return ops.concatenate([decode(output, temperature), task.entropy(output, temperature)], axis=-1)

    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        @tf.function(input_signature=signature)
        def colorize(self, image, temperature=default):
            lightness = _lightness(image)
            return {"rgb": graph.rgb_of(lightness, predicted(lightness, decode, temperature))}

        @tf.function(input_signature=signature)
        def analyze(self, image, temperature=default):
            lightness = _lightness(image)
            if task.entropy is None:
                return {"ab": predicted(lightness, decode, temperature)}
            found = predicted(lightness, with_entropy, temperature)
            return {"ab": found[..., :2], "entropy": found[..., 2]}

    return Exported()


def _lightness(image):
    """L, (B, H, W, 1) float32."""
    return color.rgb_to_lab(as_rgb(image))[..., :1]


def _savedmodel(module, functions, path):
    import tensorflow as tf

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=path.parent) as scratch:
            new = Path(scratch) / "model"
            with _quiet():
                tf.saved_model.save(module, new, signatures=functions)
            new.rename(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _onnx(function, path, defaults, properties, half):
    import onnx
    import tf2onnx

    with _quiet():
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=function.input_signature, opset=_OPSET
        )
    if half:
        _halve(model.graph)
    for name, value in defaults.items():  # an input with an initial value of its name may be left out
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, "float32"), name))
    onnx.helper.set_model_props(model, properties)
    try:
        onnx.checker.check_model(model)  # tf2onnx writes what it cannot convert, and only logs it
    except onnx.checker.ValidationError as error:
        raise InputError(f"{path} cannot be written: ONNX lacks what this model needs ({error}).") from error
    with replacing(path) as temporary:
        onnx.save(model, temporary)


def _halve(graph):
    """Keep an ONNX graph's kernels in float16, cast as it is loaded: half the file, the same arithmetic."""
    import onnx

    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 4:
            stored = f"{tensor.name}/float16"
            half = onnx.numpy_helper.to_array(tensor).astype("float16")
            graph.node.insert(
                0, onnx.helper.make_node("Cast", [stored], [tensor.name], to=onnx.TensorProto.FLOAT)
            )
            tensor.CopyFrom(onnx.numpy_helper.from_array(half, stored))


def _litert(function, path, defaults):
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = function.input_signature

    @tf.function(input_signature=signature)
    def completed(*inputs):
        return function(
            *(
                tf.where(value < 0, defaults[spec.name], value) if spec.name in defaults else value
                for spec, value in zip(signature, inputs, strict=True)
            )
        )

    # Frozen by hand: TensorFlow 2.21's converter leaves variables out without a word
    frozen = convert_variables_to_constants_v2(completed.get_concrete_function())
    with _quiet():
        data = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def _quiet():
    """Without what converters print and log as they go."""
    for name in ("tensorflow", "tf2onnx"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
