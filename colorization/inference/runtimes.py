"""Exported colorizers, run without Keras: SavedModel folders, ONNX and LiteRT files."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from colorization.core import color_numpy
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.inference import composition, onnx_colorizer
from colorization.inference.onnx_colorizer import OnnxColorizer, first_line
from colorization.inference.picture_arrays import as_pictures
from colorization.inference.picture_colorizer import fixed_size
from colorization.runs.folder import RunFolder

_OWN = np.array(-1, "float32")  # in LiteRT it selects the built-in temperature, see writers.write


class Runtime(Protocol):
    """A model that colors pictures: a PictureColorizer (Keras or ONNX) or an Exported (other formats too)."""

    def check(self, decoding: str | None, tempered: bool) -> None:
        """Refuse a decoding or a temperature that the model does not have.

        Args:
            decoding: name of a decoding; None is the default.
            tempered: whether the user gives a temperature.

        Raises:
            InputError: the decoding is unknown, or takes no temperature.
        """
        ...

    def colorize(
        self,
        image: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        decoding: str | None = None,
        temperature: float | None = None,
    ) -> np.ndarray:
        """Color a picture or a batch; see PictureColorizer.colorize.

        Args:
            image, alpha, decoding, temperature: as in PictureColorizer.colorize.

        Returns:
            RGB of the same dtype, (H, W, 3), or (N, H, W, 3) for a batch.
        """
        ...

    def predict_ab(
        self, lightness: np.ndarray, *, decoding: str | None = None, temperature: float | None = None
    ) -> np.ndarray:
        """ab at the size of the model's prediction.

        Args:
            lightness: (N, H, W) float32, 0..100, of any size.
            decoding, temperature: as in colorize.

        Returns:
            (N, h, w, 2) float32.
        """
        ...


class Exported:
    """A Runtime of a model that export_model wrote. The model maps 8-bit pictures to 8-bit pictures.

    Args:
        run: function of (N, H, W, 3) uint8, and {"temperature": float32} or {}; returns (N, H, W, 3) uint8.
        size: (H, W) if the model takes single pictures of this size only; None if it takes batches of any.
        takes_temperature: whether its decoding takes a temperature.
        path: of the model, in messages.
    """

    def __init__(
        self,
        run: Callable[[np.ndarray, dict], np.ndarray],
        size: tuple[int, int] | None,
        takes_temperature: bool,
        path: Path,
    ):
        self._run, self._size, self._takes_temperature, self._path = run, size, takes_temperature, path

    def check(self, decoding: str | None, tempered: bool) -> None:
        """Refuse a decoding, which is built in, and a temperature without effect.

        Args:
            decoding: only None is accepted.
            tempered: whether the user gives a temperature.

        Raises:
            InputError: a decoding is given, or the built-in decoding takes no temperature.
        """
        if decoding is not None:
            raise built_in(self._path, "decoding")
        if tempered and not self._takes_temperature:
            raise InputError("The exported model's decoding takes no temperature: leave it out.")

    def colorize(
        self,
        image: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        decoding: str | None = None,
        temperature: float | None = None,
    ) -> np.ndarray:
        """Color a picture or a batch, as PictureColorizer.colorize does.

        Args:
            image, alpha: as in PictureColorizer.colorize.
            decoding: only None is accepted.
            temperature: of the annealed mean; None is the built-in temperature.

        Returns:
            RGB of the same dtype, (H, W, 3), or (N, H, W, 3) for a batch.

        Raises:
            TypeError: neither uint8 nor uint16.
            ValueError: no such shape, an empty image, or a negative temperature.
            InputError: the format takes pictures of another size only, or no such decoding or temperature.
        """
        self.check(decoding, temperature is not None)
        given = as_pictures(image)
        pictures = [_as_8_bit(picture, alpha) for picture in given.pictures]
        colored = list(self._colored(np.stack(pictures), temperature))
        if given.pictures[0].dtype != np.uint8 or alpha is not None:
            pairs = zip(given.pictures, colored, strict=True)
            colored = [composition.compose(picture, _ab(rgb)) for picture, rgb in pairs]
        return np.stack(colored) if given.is_batch else colored[0]

    def predict_ab(
        self, lightness: np.ndarray, *, decoding: str | None = None, temperature: float | None = None
    ) -> np.ndarray:
        """ab at the size of the lightness.

        Args:
            lightness: (N, H, W) float32, 0..100.
            decoding, temperature: as in colorize.

        Returns:
            (N, H, W, 2) float32.
        """
        self.check(decoding, temperature is not None)
        neutral = np.zeros((1, 1, 2), np.float32)
        gray = np.stack([composition.compose(picture, neutral) for picture in lightness])
        return np.stack([_ab(rgb) for rgb in self._colored(gray, temperature)])

    def _colored(self, batch, temperature):
        """(N, H, W, 3) uint8 results of (N, H, W, 3) uint8 pictures."""
        if temperature is not None and not temperature >= 0:
            raise ValueError(f"the temperature is at least 0, not {temperature}")
        if self._size not in (None, batch.shape[1:3]):
            height, width = self._size
            raise InputError(
                f"The exported model takes pictures of {height} x {width} pixels only, not "
                f"{batch.shape[1]} x {batch.shape[2]}: export it with this --size, or in another format."
            )
        given = {} if temperature is None else {"temperature": np.array(temperature, "float32")}
        parts = [batch] if self._size is None else np.split(batch, len(batch))
        return np.concatenate([self._run(part, given) for part in parts])


def _as_8_bit(picture, alpha):
    """(H, W, 3) uint8; hidden pixels have the mean of the visible ones."""
    if picture.dtype != np.uint8:
        picture = (picture >> 8).astype(np.uint8)
    rgb = np.array(
        np.broadcast_to(picture[..., None] if picture.ndim == 2 else picture, (*picture.shape[:2], 3))
    )
    if alpha is not None and alpha.any():
        rgb[alpha == 0] = rgb[alpha > 0].mean(axis=0)
    return rgb


def _ab(rgb):
    return color_numpy.rgb_to_lab(rgb)[..., 1:]


def built_in(path: Path, option: str) -> InputError:
    """The InputError for an option that an exported model does not take.

    Args:
        path: of the model.
        option: name of the option, without dashes.

    Returns:
        InputError.
    """
    return InputError(f"{path} has its {option} built in: leave --{option} out.")


def recognizes(path: StrPath) -> bool:
    """Whether a path looks like an exported colorizer, and not like a run folder.

    Args:
        path: of a file or folder.

    Returns:
        True for a known suffix, and for a SavedModel folder.
    """
    path = Path(path)
    return path.suffix in _FILES or (path / "saved_model.pb").exists()


def load(path: StrPath, working_size: int | None = None) -> Runtime:
    """The model at a path.

    Args:
        path: of a SavedModel, an .onnx or a .tflite file.
        working_size: None takes the model's own.

    Returns:
        Runtime.

    Raises:
        InputError: the file is damaged, its runtime is missing, or it does not take a working size.
    """
    path = Path(path)
    try:
        model = _FILES.get(path.suffix, _savedmodel)(path, working_size)
    except ImportError as error:
        extra = "train" if error.name == "tensorflow" else "export"
        raise InputError(f"{path} needs {error.name}: pip install 'keras-colorization[{extra}]'.") from None
    except InputError:
        raise
    except Exception as error:  # each runtime has its own exceptions for a damaged file
        raise InputError(f"{path} is no exported colorizer, or damaged ({first_line(error)}).") from None
    if working_size is not None and isinstance(model, Exported):
        raise built_in(path, "working-size")
    return model


def of_run(run_dir: StrPath, working_size: int | None = None) -> OnnxColorizer | None:
    """The network in a run folder's ONNX file. It starts ten times as fast as Keras does.

    Args:
        run_dir: path of the run folder.
        working_size: None takes the run's own.

    Returns:
        OnnxColorizer; None if there is no file, or if it was made from older weights.
    """
    run = RunFolder(run_dir)
    try:
        session = onnx_colorizer.open_session(run.onnx_path)
    except Exception:  # not there, damaged, or no onnxruntime: the run itself will do
        return None
    origin = session.get_modelmeta().custom_metadata_map.get(onnx_colorizer.ORIGIN)
    if not onnx_colorizer.is_network(session) or origin != run.model_fingerprint():
        return None
    return OnnxColorizer(session, str(run), working_size)


def _onnx(path, working_size):
    session = onnx_colorizer.open_session(path)
    if onnx_colorizer.is_network(session):
        return OnnxColorizer(session, str(path), working_size)

    def run(batch, given):
        try:
            return session.run(["rgb"], {"image": batch, **given})[0]
        except Exception as error:  # onnxruntime's own, out of memory as a rule
            height, width = batch.shape[1:3]
            raise InputError(
                f"onnxruntime cannot color a picture of {width} x {height} ({first_line(error)}): "
                "take a smaller one, or the run itself, which works in strips."
            ) from None

    # In files of version 0.1 the temperature is an initializer
    shapes = {given.name: given.shape for given in session.get_overridable_initializers()}
    shapes |= {given.name: given.shape for given in session.get_inputs()}
    return Exported(run, fixed_size(shapes["image"]), "temperature" in shapes, path)


def _litert(path, working_size):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=path.read_bytes())
    if not interpreter.get_signature_list():
        return _litert_without_names(interpreter, path)
    call = interpreter.get_signature_runner()
    inputs = call.get_input_details()

    def run(batch, given):
        temperature = {"temperature": _OWN, **given} if "temperature" in inputs else {}
        return call(image=batch, **temperature)["rgb"]

    return Exported(_in_turn(run), fixed_size(inputs["image"]["shape"]), "temperature" in inputs, path)


def _in_turn(run):
    """A function that threads call one after another: an interpreter has one set of arrays."""
    lock = threading.Lock()

    def run_alone(batch, given):
        with lock:
            return run(batch, given)

    return run_alone


def _litert_without_names(interpreter, path):
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

    return Exported(_in_turn(run), fixed_size(places[4]["shape"]), 0 in places, path)


def _savedmodel(path, working_size):
    import tensorflow as tf

    model = tf.saved_model.load(path)
    _ = model.colorize  # raises AttributeError for models of other origin
    inputs = model.signatures["serving_default"].structured_input_signature[1]

    def run(batch, given):
        # Not the signature, which would not know the temperature's default; the model must be held
        return model.colorize(
            image=tf.constant(batch), **{name: tf.constant(value) for name, value in given.items()}
        )["rgb"].numpy()

    return Exported(run, fixed_size(inputs["image"].shape.as_list()), "temperature" in inputs, path)


_FILES = {".onnx": _onnx, ".tflite": _litert}
"""Suffix -> its loader; a SavedModel is a folder."""
