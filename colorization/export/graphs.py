"""The tf.Module of an exported colorizer: uint8 picture -> lightness -> network -> decoding -> uint8 RGB.

It calls the functions that Colorizer calls. The picture keeps its own lightness.
"""

from typing import Any

from keras import ops

from colorization.core import color
from colorization.core.typing import Tensor
from colorization.inference import graph
from colorization.inference.colorizer import Colorizer
from colorization.inference.onnx_colorizer import AB, LIGHTNESS, OUTPUT, TEMPERATURE
from colorization.models import tasks


def image_spec(size: tuple[int, int] | None) -> Any:
    """The type of a batch of pictures.

    Args:
        size: (height, width) of one RGB picture; None is any number and size of gray or RGB pictures.

    Returns:
        tf.TensorSpec of uint8.
    """
    import tensorflow as tf

    return tf.TensorSpec([1, *size, 3] if size else [None] * 4, tf.uint8, name="image")


def as_rgb(image: Tensor) -> Tensor:
    """Gray or RGB pictures as RGB.

    Args:
        image: (B, H, W, 1 or 3) uint8.

    Returns:
        (B, H, W, 3) uint8.
    """
    return ops.cast(ops.broadcast_to(ops.cast(image, "int32"), (*ops.shape(image)[:3], 3)), "uint8")


def lightness_of(image: Tensor) -> Tensor:
    """The lightness of gray or RGB pictures.

    Args:
        image: (B, H, W, 1 or 3) uint8.

    Returns:
        L, (B, H, W, 1) float32 in 0..100.
    """
    return color.rgb_to_lab(as_rgb(image))[..., :1]


def colorizer_module(
    colorizer: Colorizer, decoding: str | None = None, size: tuple[int, int] | None = None
) -> Any:
    """Build the module with the exported functions: colorize, which is also called serve, and analyze.

    Args:
        colorizer: a Colorizer.
        decoding: name of one of its task's decodings; None is the default.
        size: (height, width) of the pictures; None is any size.

    Returns:
        tf.Module. Its functions have a second input, the temperature, if the decoding uses one.

    Raises:
        InputError: the task does not have this decoding.
    """
    import tensorflow as tf

    _, decode = tasks.decoding(colorizer.task, decoding)
    signature, default = [image_spec(size)], None
    if decode.takes_temperature:
        signature.append(tf.TensorSpec([], tf.float32, name="temperature"))
        default = tf.constant(colorizer.temperature, "float32")
    predict = _Prediction(colorizer, decode)

    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = colorizer.model

        @tf.function(input_signature=signature)
        def colorize(self, image, temperature=default):
            return {"rgb": predict.rgb(image, temperature)}

        serve = colorize  # the name that keras.layers.TFSMLayer asks for

        @tf.function(input_signature=signature)
        def analyze(self, image, temperature=default):
            return predict.ab_and_entropy(image, temperature)

    return Exported()


def network_module(colorizer: Colorizer) -> tuple[Any, Any]:
    """Build the module and the function for `inference.OnnxColorizer`: the network and its decodings.

    The function has the inputs lightness, (N, h, w, 1) float32, and temperature if the default decoding uses
    one. It returns {"ab": (N, h, w, 2), "output": the output of the network}, float32.

    Args:
        colorizer: a Colorizer.

    Returns:
        tf.Module and tf.function.
    """
    import tensorflow as tf

    _, decode = tasks.decoding(colorizer.task)
    signature = [
        tf.TensorSpec([None, *(colorizer.fixed_size or (None, None)), 1], tf.float32, name=LIGHTNESS)
    ]
    if decode.takes_temperature:
        signature.append(tf.TensorSpec([], tf.float32, name=TEMPERATURE))
    module = tf.Module()
    module.model = colorizer.model

    @tf.function(input_signature=signature)
    def predict(lightness, temperature=None):
        output = colorizer.model(lightness, training=False)
        return {AB: decode(output, temperature), OUTPUT: ops.cast(output, "float32")}

    return module, predict


class _Prediction:
    """The computations behind the two functions.

    Args:
        colorizer: a Colorizer.
        decode: a Decoding.
    """

    def __init__(self, colorizer, decode):
        self._colorizer, self._decode = colorizer, decode

    def rgb(self, image, temperature):
        """(B, H, W, 3) uint8 RGB of (B, H, W, 1 or 3) uint8."""
        lightness = lightness_of(image)
        return graph.rgb_of(lightness, self._at_working_size(lightness, self._decode, temperature))

    def ab_and_entropy(self, image, temperature):
        """{"ab": (B, H, W, 2)}, and {"entropy": (B, H, W)} if the task has one; float32."""
        lightness, entropy = lightness_of(image), self._colorizer.task.entropy
        if entropy is None:
            return {"ab": self._at_working_size(lightness, self._decode, temperature)}

        def with_entropy(output, temperature):
            return ops.concatenate([self._decode(output, temperature), entropy(output)], axis=-1)

        found = self._at_working_size(lightness, with_entropy, temperature)
        return {"ab": found[..., :2], "entropy": found[..., 2]}

    def _at_working_size(self, lightness, decode, temperature):
        model, working_size = self._colorizer.model, self._colorizer.working_size
        shape = graph.working_shape(model, *ops.shape(lightness)[1:3], working_size)
        return graph.ab_at(model, decode, lightness, temperature, shape)
