"""Exported colorizers, run without Keras: SavedModel folders, ONNX and LiteRT files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from colorization.core import image_files
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.runs.folder import RunFolder

ORIGIN = "origin"  # in an ONNX file's metadata: fingerprint of the run that it stands for

_OWN = np.array(-1, "float32")  # in LiteRT it stands for the temperature built in, see writers.write


class Runtime(Protocol):
    """A model that colors pictures: a Colorizer (Keras) or an Exported (ONNX, SavedModel, LiteRT)."""

    def colorize(self, image: np.ndarray, *, temperature: float | None = None) -> np.ndarray:
        """Color a picture or a batch.

        Args:
            image: uint8, (H, W), (H, W, 1 or 3), or (N, H, W, 1 or 3).
            temperature: of the annealed mean; None takes the model's own.

        Returns:
            uint8 RGB, (H, W, 3), or (N, H, W, 3) for a batch.
        """
        ...


class Exported:
    """A Runtime of a model that export_model wrote.

    Args:
        run: function of (N, H, W, 3) uint8, and {"temperature": float32} or {}; returns (N, H, W, 3) uint8.
        size: (H, W) if the model takes single pictures of this size only; None if it takes batches of any.
        takes_temperature: whether its decoding takes a temperature.
    """

    def __init__(
        self,
        run: Callable[[np.ndarray, dict], np.ndarray],
        size: tuple[int, int] | None,
        takes_temperature: bool,
    ):
        self._run, self._size, self._takes_temperature = run, size, takes_temperature

    def colorize(self, image: np.ndarray, *, temperature: float | None = None) -> np.ndarray:
        """Color a picture or a batch, as Colorizer.colorize does; None is the temperature built in.

        Raises:
            TypeError: not uint8.
            ValueError: no such shape, an empty image, or a negative temperature.
            InputError: the format takes pictures of another size only, or the decoding no temperature.
        """
        if temperature is not None and not self._takes_temperature:
            raise InputError("The exported model's decoding takes no temperature: leave it out.")
        if temperature is not None and not temperature >= 0:
            raise ValueError(f"the temperature is at least 0, not {temperature}")
        batch = np.ascontiguousarray(image_files.as_batch(image))
        if self._size not in (None, batch.shape[1:3]):
            height, width = self._size
            raise InputError(
                f"The exported model takes pictures of {height} x {width} pixels only, not "
                f"{batch.shape[1]} x {batch.shape[2]}: export it with this --size, or in another format."
            )
        given = {} if temperature is None else {"temperature": np.array(temperature, "float32")}
        parts = [batch] if self._size is None else np.split(batch, len(batch))
        rgb = np.concatenate([self._run(part, given) for part in parts])
        return rgb if np.ndim(image) == 4 else rgb[0]


def recognizes(path: StrPath) -> bool:
    """Whether a path looks like an exported colorizer, and not like a run folder."""
    path = Path(path)
    return path.suffix in _FILES or (path / "saved_model.pb").exists()


def load(path: StrPath) -> Exported:
    """The Exported at a path. Raises InputError for a damaged file, or where its runtime is missing."""
    path = Path(path)
    try:
        return _FILES.get(path.suffix, _savedmodel)(path)
    except ImportError as error:
        extra = "train" if error.name == "tensorflow" else "export"
        raise InputError(f"{path} needs {error.name}: pip install 'keras-colorization[{extra}]'.") from None
    except InputError:
        raise
    except Exception as error:  # each runtime has its own words for a damaged file
        raise InputError(f"{path} is no exported colorizer, or damaged ({_first_line(error)}).") from None


def of_run(run_dir: StrPath) -> Exported | None:
    """The Exported in a run folder, if there is one, made from the weights that it has now; else None.

    It starts ten times as fast as Keras does.
    """
    run = RunFolder(run_dir)
    try:
        session = _session(run.onnx_path)
    except Exception:  # not there, damaged, or no onnxruntime: the run itself will do
        return None
    if session.get_modelmeta().custom_metadata_map.get(ORIGIN) != run.model_fingerprint():
        return None
    return _of_session(session)


def _onnx(path):
    return _of_session(_session(path))


def _session(path):
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else it reports to its maker; read when imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of the temperature's default in files of version 0.1
    return onnxruntime.InferenceSession(path.read_bytes(), options)


def _of_session(session):
    def run(batch, given):
        try:
            return session.run(["rgb"], {"image": batch, **given})[0]
        except Exception as error:  # onnxruntime's own, out of memory as a rule
            height, width = batch.shape[1:3]
            raise InputError(
                f"onnxruntime cannot color a picture of {width} x {height} ({_first_line(error)}): "
                "take a smaller one, or the run itself, which works in strips."
            ) from None

    # In files of version 0.1 the temperature is an initializer
    shapes = {given.name: given.shape for given in session.get_overridable_initializers()}
    shapes |= {given.name: given.shape for given in session.get_inputs()}
    return Exported(run, _fixed(shapes["image"]), "temperature" in shapes)


def _litert(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=path.read_bytes())
    if not interpreter.get_signature_list():
        return _litert_without_names(interpreter)
    call = interpreter.get_signature_runner()
    inputs = call.get_input_details()

    def run(batch, given):
        temperature = {"temperature": _OWN, **given} if "temperature" in inputs else {}
        return call(image=batch, **temperature)["rgb"]

    return Exported(run, _fixed(inputs["image"]["shape"]), "temperature" in inputs)


def _litert_without_names(interpreter):
    """The Exported of a file of version 0.1, whose inputs have no names: the temperature is a scalar."""
    interpreter.allocate_tensors()
    places = {len(detail["shape"]): detail for detail in interpreter.get_input_details()}
    output = interpreter.get_output_details()[0]["index"]

    def run(batch, given):
        interpreter.set_tensor(places[4]["index"], batch)
        if 0 in places:
            interpreter.set_tensor(places[0]["index"], given.get("temperature", _OWN))
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return Exported(run, _fixed(places[4]["shape"]), 0 in places)


def _savedmodel(path):
    import tensorflow as tf

    model = tf.saved_model.load(path)
    _ = model.colorize  # its absence tells of another's model
    inputs = model.signatures["serving_default"].structured_input_signature[1]

    def run(batch, given):
        # Not the signature, which would not know the temperature's default; the model must be held
        return model.colorize(
            image=tf.constant(batch), **{name: tf.constant(value) for name, value in given.items()}
        )["rgb"].numpy()

    return Exported(run, _fixed(inputs["image"].shape.as_list()), "temperature" in inputs)


def _fixed(shape):
    """(height, width) of an input's shape; None if they are open."""
    sides = tuple(shape[1:3])
    return tuple(map(int, sides)) if all(isinstance(side, int | np.integer) for side in sides) else None


def _first_line(error):
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


_FILES = {".onnx": _onnx, ".tflite": _litert}
"""Suffix -> its loader; a SavedModel is a folder."""
