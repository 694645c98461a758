"""Export a trained run to a file or folder that colors pictures without this package."""

import contextlib
import errno
import importlib.util
import io
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from colorization.core.atomic_io import refuse_unwritable, replacing, scratch_folder, system_message
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.export import keras_file
from colorization.export.formats import FORMATS
from colorization.export.graphs import colorizer_module, network_module
from colorization.inference.colorizer import Colorizer
from colorization.inference.onnx_colorizer import ORIGIN, SETTINGS
from colorization.models import tasks
from colorization.runs.folder import RunFolder

_OPSET = 18  # of ONNX
_AXES = ("batch", "height", "width", "channels")


def export_model(
    run_dir: StrPath,
    format: str,
    path: StrPath,
    *,
    decoding: str | None = None,
    working_size: int | None = None,
    size: tuple[int, int] | None = None,
    half: bool = False,
) -> None:
    """Write a colorizer in another format. An interrupted call leaves no file.

    Args:
        run_dir: path of the run folder.
        format: one of FORMATS. A keras file contains the network only, from lightness to the output of the
            task. Keras 3.4 and later load it.
        path: path of the new file, or of the new folder for savedmodel.
        decoding: name of one of the task's decodings; None is the default.
        working_size: shorter side at which color is predicted, in pixels; None is the run's own.
        size: (height, width) of the pictures; None is any size, which LiteRT does not support.
        half: whether onnx stores its kernels in float16. It computes in float32 in either case.

    Raises:
        InputError: the run is not usable, the format does not support an option, or the file cannot be
            written.
    """
    path = Path(path)
    plain = decoding is working_size is size is None
    refuse_existing(path)
    check(format, path, size)
    if format == "keras" and not plain:
        raise InputError(
            "A .keras file contains the network only. Leave out the decoding, the working size and the size."
        )
    colorizer = Colorizer.load(run_dir, working_size)
    if format == "keras":
        keras_file.save(colorizer.model, path)
        return
    _, decode = tasks.decoding(colorizer.task, decoding)
    module = colorizer_module(colorizer, decoding, size)
    write(
        module,
        {"serving_default": module.colorize, "analyze": module.analyze},
        format,
        path,
        defaults={"temperature": colorizer.temperature} if decode.takes_temperature else {},
        half=half,
    )


def export_network(run_dir: StrPath, *, half: bool = False) -> Path:
    """Write the ONNX file in a run folder. With it the run colors pictures without Keras.

    It contains the network and its decodings, see inference.OnnxColorizer. An older file is replaced.

    Args:
        run_dir: path of the run folder.
        half: whether the kernels are stored in float16. They are computed in float32 in either case.

    Returns:
        Path of the file.

    Raises:
        InputError: the run is not usable, tf2onnx is missing, or the file cannot be written.
    """
    run = RunFolder(run_dir)
    check("onnx", run.onnx_path, None)
    colorizer = Colorizer.load(run_dir)
    module, predict = network_module(colorizer)
    settings = {
        "working_size": colorizer.working_size,
        "temperature": colorizer.temperature,
        "takes_temperature": {
            name: decoding.takes_temperature for name, decoding in colorizer.task.decodings.items()
        },
    }
    properties = {ORIGIN: run.model_fingerprint(), SETTINGS: json.dumps(settings)}
    write(module, {"predict": predict}, "onnx", run.onnx_path, properties=properties, half=half)
    return run.onnx_path


def refuse_existing(path: Path) -> None:
    """Refuse a path that exists.

    Args:
        path: Path of the new file.

    Raises:
        InputError: the path exists.
    """
    if path.exists():
        raise InputError(f"{path} already exists. Choose another path.")


def check(format: str, path: Path, size: tuple[int, int] | None) -> None:
    """Check the format, the path and the size of an export before the run is loaded.

    Args:
        format: one of FORMATS.
        path: Path of the new file.
        size: None, or (height, width) of the pictures.

    Raises:
        InputError: the suffix is wrong, LiteRT has no size, a package is missing, or the folder cannot be
            written.
    """
    if path.suffix != FORMATS[format] and FORMATS[format]:
        raise InputError(f"{path} cannot be written: names in the format {format} end in {FORMATS[format]}.")
    if format != "keras" and keras.backend.backend() != "tensorflow":
        raise InputError(f"The format {format} needs TensorFlow. Unset KERAS_BACKEND.")
    if format == "litert" and size is None:
        raise InputError("A LiteRT file has a fixed picture size. Set it with --size HEIGHTxWIDTH.")
    if format == "onnx" and importlib.util.find_spec("tf2onnx") is None:
        raise InputError("The format onnx needs tf2onnx. Run `pip install 'keras-colorization[export]'`.")
    refuse_unwritable(path.parent)


def write(
    module: Any,
    functions: Mapping[str, Any],
    format: str,
    path: Path,
    *,
    defaults: Mapping[str, float | None] | None = None,
    properties: Mapping[str, str] | None = None,
    half: bool = False,
) -> None:
    """Write tf.functions as savedmodel, onnx or litert. An interrupted call leaves no file.

    Args:
        module: the tf.Module with their variables.
        functions: {name: tf.function with an input signature}; onnx and litert use only the first one.
        format: one of FORMATS except keras.
        path: Path of the new file or folder.
        defaults: {name of a scalar input: number}. ONNX uses the number if the input is left out. LiteRT,
            which has no defaults, uses it if the input is negative.
        properties: {name: text} for the metadata of an ONNX file.
        half: as in export_model.

    Raises:
        InputError: ONNX does not support the function, or the file cannot be written.
    """
    first = next(iter(functions.values()))
    if format == "savedmodel":
        _savedmodel(module, functions, path)
    elif format == "onnx":
        _onnx(first, path, defaults or {}, properties or {}, half)
    else:
        _litert(first, path, defaults or {})


def _savedmodel(module, functions, path):
    import tensorflow as tf

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(path.parent) as scratch:
            new = scratch / "model"
            with _quiet():
                tf.saved_model.save(module, new, signatures=functions)
            new.rename(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {system_message(error)}.") from error
    except tf.errors.ResourceExhaustedError as error:
        full = os.strerror(errno.ENOSPC)
        if full not in str(error):
            raise
        raise InputError(f"{path} cannot be written: {full}.") from error


def _onnx(function, path, defaults, properties, half):
    import onnx
    import tf2onnx

    with _quiet():
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=function.input_signature, opset=_OPSET
        )
    if half:
        _halve(model.graph)
    for name, value in defaults.items():
        _make_optional(model.graph, name, value)
    _name_axes(model.graph)
    onnx.helper.set_model_props(model, properties)
    try:
        onnx.checker.check_model(model)  # tf2onnx only logs operations that it cannot convert
    except onnx.checker.ValidationError as error:
        raise InputError(f"{path} cannot be written: ONNX does not support this model ({error}).") from error
    with replacing(path) as temporary:
        onnx.save(model, temporary)


def _make_optional(graph, name, default):
    """Make a scalar float input of an ONNX graph optional.

    An initializer with the name of the input would do this too, but onnxruntime warns about it.
    """
    import onnx
    from onnx import TensorProto, helper

    def branch(kind, **options):
        output = helper.make_tensor_value_info(f"{name}/{kind}", TensorProto.FLOAT, [])
        inputs = [] if options else [name]
        return helper.make_graph(
            [helper.make_node(kind, inputs, [output.name], **options)], kind, [], [output]
        )

    for node in graph.node:
        _rename_input(node, name, f"{name}/used")
    given = next(value for value in graph.input if value.name == name)
    given.type.CopyFrom(helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [])))
    otherwise = onnx.numpy_helper.from_array(np.array(default, "float32"))
    graph.node.insert(
        0,
        helper.make_node(
            "If",
            [f"{name}/given"],
            [f"{name}/used"],
            then_branch=branch("OptionalGetElement"),
            else_branch=branch("Constant", value=otherwise),
        ),
    )
    graph.node.insert(0, helper.make_node("OptionalHasElement", [name], [f"{name}/given"]))


def _rename_input(node, old, new):
    """Rename an input of an ONNX node, and of the nodes in its inner graphs."""
    node.input[:] = [new if name == old else name for name in node.input]
    for attribute in node.attribute:
        for inner in attribute.g.node:
            _rename_input(inner, old, new)


def _name_axes(graph):
    """Name the axes of variable length of an ONNX graph's inputs and outputs."""
    for value in (*graph.input, *graph.output):
        axes = value.type.tensor_type.shape.dim
        for axis, name in zip(axes, _AXES[: len(axes)], strict=True):
            if not axis.dim_value:
                axis.dim_param = name


def _halve(graph):
    """Store the kernels of an ONNX graph in float16. They are cast to float32 at loading."""
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

    def completed(*inputs):
        return function(
            *(
                tf.where(value < 0, defaults[spec.name], value) if spec.name in defaults else value
                for spec, value in zip(signature, inputs, strict=True)
            )
        )

    # Frozen here, because the converter of TensorFlow 2.21 leaves out variables without an error
    whole = tf.function(completed, input_signature=signature).get_concrete_function()
    frozen = convert_variables_to_constants_v2(whole)
    module = tf.Module()  # the module gives the file a signature: the names of its inputs and outputs
    module.run = tf.function(
        lambda *inputs: tf.nest.pack_sequence_as(whole.structured_outputs, frozen(*inputs)),
        input_signature=signature,
    )
    with _quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [module.run.get_concrete_function()], module
        )
        data = converter.convert()
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def _quiet():
    """Suppress the output and the log of converters."""
    for name in ("tensorflow", "tf2onnx"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
