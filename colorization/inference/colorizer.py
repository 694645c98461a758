"""Colorizer: a trained Keras model that colors pictures."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from colorization.core.config import TEMPERATURE, ColorizerConfig
from colorization.core.typing import StrPath
from colorization.inference import graph
from colorization.inference.picture_colorizer import PictureColorizer, refuse_working_size
from colorization.models import tasks
from colorization.models.tasks import Decoding
from colorization.runs import resolve
from colorization.runs.folder import RunFolder


class Colorizer(PictureColorizer):
    """A trained Keras model, ready to color pictures.

    Args:
        model: a task's Keras model.
        task: its tasks.Task.
        working_size: see PictureColorizer. It has no effect on a model with a fixed input size.
        temperature: of the annealed mean, by default; None for a task without one.
        name: of the model, in messages.
    """

    def __init__(
        self,
        model: keras.Model,
        task: tasks.Task,
        working_size: int,
        temperature: float | None = TEMPERATURE,
        name: str = "The model",
    ):
        takes_temperature = {key: decoding.takes_temperature for key, decoding in task.decodings.items()}
        super().__init__(name, working_size, graph.fixed_size(model), takes_temperature, temperature)
        self.model, self.task = model, task

    @classmethod
    def load(cls, run_dir: StrPath, working_size: int | None = None) -> "Colorizer":
        """The colorizer in a run folder, with the weights that its config names in `predict_by`.

        Args:
            run_dir: a run folder.
            working_size: shorter side at which color is predicted, in pixels. None takes the working size of
                the run's config, else the size of its training images.

        Returns:
            Colorizer.

        Raises:
            InputError: no run folder, weights that do not fit by name and shape, or no such working size.
        """
        run = RunFolder(run_dir)
        model = load_model(run)
        config, task = run.config, tasks.of(run.config)
        fixed = graph.fixed_size(model)
        if working_size is not None and fixed:
            raise refuse_working_size(str(run), fixed)
        size = _working_size(config) if working_size is None else working_size
        return cls(model, task, size, task.temperature(config), str(run))

    @classmethod
    def from_preset(cls, name: str, working_size: int | None = None) -> "Colorizer":
        """The colorizer that comes with the package under a name; `colorize presets` lists them.

        Args:
            name: of the preset.
            working_size: as in load.

        Returns:
            Colorizer.

        Raises:
            InputError: there is no such preset, it is no colorizer, or its files are damaged.
        """
        return cls.load(resolve.preset_folder(name), working_size)

    def predict(self, lightness: np.ndarray, decoding: str | None, temperature: float | None) -> np.ndarray:
        """Run the model; see PictureColorizer.predict.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.
            decoding: one of the task's; None is its default.
            temperature: of the annealed mean; None takes the model's own.

        Returns:
            (N, h, w, 2) float32 ab.
        """
        _, decode = tasks.decoding(self.task, decoding)
        temperature = self.temperature if temperature is None else temperature
        return ops.convert_to_numpy(decode(self.model(lightness[..., None], training=False), temperature))

    def predict_logits(self, lightness: np.ndarray) -> np.ndarray:
        """Run the model; see PictureColorizer.predict_logits.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.

        Returns:
            (N, h, w, 313) float32.
        """
        self.check_distribution()
        return ops.convert_to_numpy(self.model(lightness[..., None], training=False))


def load_model(run: RunFolder) -> keras.Model:
    """The Keras model of a colorizer's run, with the weights that its config names in `predict_by`.

    Args:
        run: RunFolder of a colorizer.

    Returns:
        keras.Model.

    Raises:
        InputError: not a colorizer's run folder, no weights in it yet, or weights that do not fit.
    """
    run.expect(ColorizerConfig)
    model = tasks.of(run.config).build(run.config)
    run.load_weights(model)
    return model


def predictor(run: RunFolder, decodings: Mapping[str, Decoding], temperature: float | None) -> keras.Model:
    """The model of a run from L to decodings, at the working size of its config, like Colorizer.

    Args:
        run: RunFolder of a colorizer.
        decodings: {name: Decoding}.
        temperature: of the annealed mean; None for decodings without one.

    Returns:
        keras.Model: (B, S, S, 1) L -> {name: (B, S, S, 2) ab}, where S is the image_size of the config.

    Raises:
        InputError: as load_model.
    """
    return graph.predictor(
        load_model(run), decodings, temperature, run.config.image_size, _working_size(run.config)
    )


def _working_size(config):
    return config.working_size or config.image_size
