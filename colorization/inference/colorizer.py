"""Colorizer: a trained Keras model that colors pictures."""

import keras
import numpy as np
from keras import ops

from colorization.core.config import TEMPERATURE, ColorizerConfig
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.inference import composition, graph
from colorization.inference.picture_colorizer import PictureColorizer
from colorization.models import tasks
from colorization.runs import resolve
from colorization.runs.folder import RunFolder


class Colorizer(PictureColorizer):
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

    def working_shape(self, height: int, width: int) -> tuple[int, int]:
        """The size, (height, width), at which the model sees a picture of a size."""
        return graph.fixed_size(self.model) or composition.working_shape(height, width, self.working_size)

    def predict(self, lightness: np.ndarray, decoding: str | None, temperature: float | None) -> np.ndarray:
        """Run the model; see PictureColorizer.predict."""
        _, decode = tasks.decoding(self.task, decoding)
        temperature = self.temperature if temperature is None else temperature
        return ops.convert_to_numpy(decode(self.model(lightness[..., None], training=False), temperature))


def load_model(run: RunFolder) -> keras.Model:
    """The keras.Model of a colorizer's RunFolder, with its best weights.

    Raises:
        InputError: not a colorizer's run folder, no weights in it yet, or weights that do not fit.
    """
    run.expect(ColorizerConfig)
    model = tasks.of(run.config).build(run.config)
    run.load_weights(model)
    return model
