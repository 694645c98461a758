"""Colorizer: a picture of any size in, the same picture in color out, its own lightness kept."""

import keras
import numpy as np
from keras import ops

from colorization.core import color, image_files
from colorization.core.config import TEMPERATURE, ColorizerConfig
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.inference import graph
from colorization.models import tasks
from colorization.runs import resolve
from colorization.runs.folder import RunFolder

# What bounds the memory: a large photograph, a long panorama and a large batch are worked on in parts.
_STRIP = 2**20  # pixels converted at once
_BATCH = 2**16  # pixels through the network at once, where each has 313 logits


class Colorizer:
    """A trained model, ready to color pictures.

    Args:
        model: a task's Keras model.
        task: its tasks.Task.
        working_size: pixels of the shorter side at which ab is predicted, both sides rounded to multiples
            of 8; a smaller picture is not enlarged. Not of use where the model's own input has a fixed size:
            there every picture is brought to that.
        temperature: of the annealed mean, unless another is asked for; None for a task without one.
    """

    def __init__(
        self,
        model: keras.Model,
        task: tasks.Task,
        working_size: int,
        temperature: float | None = TEMPERATURE,
    ):
        if working_size < 1:
            raise InputError(f"The working size is at least 1 pixel, not {working_size}.")
        self.model, self.task, self.working_size = model, task, working_size
        self.temperature = temperature

    @classmethod
    def load(cls, run_dir: StrPath, working_size: int | None = None) -> "Colorizer":
        """The colorizer in a run folder, with its best weights.

        Args:
            run_dir: a run folder.
            working_size: None takes the run's own, which is the size of the images it was trained on unless
                its config says otherwise.

        Raises:
            InputError: no run folder, weights that do not fit by name and shape, or no such working size.
        """
        run = RunFolder(run_dir)
        model = load_model(run)
        config, task = run.config, tasks.of(run.config)
        if working_size is not None and graph.fixed_size(model):
            raise InputError(
                f"{run} sees every picture at {config.image_size} x {config.image_size}: "
                "it takes no other working size."
            )
        size = (config.working_size or config.image_size) if working_size is None else working_size
        return cls(model, task, size, task.temperature(config))

    @classmethod
    def from_preset(cls, name: str, working_size: int | None = None) -> "Colorizer":
        """The colorizer that comes with the package under a name; `colorize presets` lists them.

        Args:
            name: of the preset.
            working_size: as of load.

        Raises:
            InputError: there is no such preset, it is no colorizer, or its files are damaged.
        """
        return cls.load(resolve.preset_folder(name), working_size)

    def check(self, decoding: str | None, tempered: bool) -> None:
        """Raise InputError for an unknown decoding, or for a temperature that the decoding does not take."""
        tasks.decoding(self.task, decoding)
        if tempered:
            tasks.refuse_temperature(self.task, decoding)

    def colorize(
        self, image: np.ndarray, *, decoding: str | None = None, temperature: float | None = None
    ) -> np.ndarray:
        """Color one picture or a batch of equal size.

        Args:
            image: uint8, (H, W), (H, W, 1) or (H, W, 3) RGB, or (N, H, W, 1) or (N, H, W, 3); of a colored
                one only the lightness is used.
            decoding: one of the task's; None is its default.
            temperature: of the annealed mean; None takes the colorizer's own.

        Returns:
            uint8 RGB, (H, W, 3), or (N, H, W, 3) for a batch.

        Raises:
            TypeError: not uint8.
            ValueError: no such shape, an empty image, or a negative temperature of an annealed mean.
            InputError: the task has no such decoding.
        """
        image = np.asarray(image)
        batch = image_files.as_batch(image)
        lightness = np.stack([_in_strips(_lightness, picture) for picture in batch])
        ab = self.predict_ab(lightness, decoding=decoding, temperature=temperature)
        rgb = np.stack(
            [_in_strips(graph.compose, *pair) for pair in zip(lightness[..., None], ab, strict=True)]
        )
        return rgb if image.ndim == 4 else rgb[0]

    def predict_ab(
        self, lightness: np.ndarray, *, decoding: str | None = None, temperature: float | None = None
    ) -> np.ndarray:
        """ab, (N, H, W, 2) float32, of (N, H, W) float32 lightness; predicted at the working size."""
        _, decode = tasks.decoding(self.task, decoding)
        temperature = self.temperature if temperature is None else temperature
        height, width = lightness.shape[1:]
        shape = graph.working_shape(self.model, height, width, self.working_size)
        count = max(1, _BATCH // int(shape[0] * shape[1]))
        parts = [
            graph.ab_at(self.model, decode, lightness[i : i + count, ..., None], temperature, shape)
            for i in range(0, len(lightness), count)
        ]
        return np.concatenate([ops.convert_to_numpy(part) for part in parts])


def load_model(run: RunFolder) -> keras.Model:
    """The keras.Model of a colorizer's RunFolder, with its best weights.

    Raises:
        InputError: not a colorizer's run folder, no weights in it yet, or weights that do not fit.
    """
    run.expect(ColorizerConfig)
    model = tasks.of(run.config).build(run.config)
    run.load_weights(model)
    return model


def _lightness(rgb):
    return ops.convert_to_numpy(color.rgb_to_lab(rgb))[..., 0]


def _in_strips(function, *images):
    """Apply a pixelwise function to images of one height and width, some rows at a time."""
    rows = max(1, _STRIP // images[0].shape[1])
    strips = range(0, len(images[0]), rows)
    return np.concatenate([function(*(image[start : start + rows] for image in images)) for start in strips])
