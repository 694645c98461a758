"""The judge in other formats: the functions behind `python -m vgg_eval.export`."""

from pathlib import Path

import keras
import tensorflow as tf
from keras import ops

from colorization.core.typing import StrPath
from colorization.export import graphs, keras_file, writers
from colorization.runs.folder import RunFolder
from vgg_eval import model


def export_judge(
    run_dir: StrPath, format: str, path: StrPath, *, size: tuple[int, int] | None = None
) -> None:
    """Write a judge in another format. An interrupted call leaves no file.

    Args:
        run_dir: path of the run folder.
        format: one of colorization.export.formats.FORMATS. A keras file contains the network only, from
            enlarged RGB.
        path: path of the new file, or of the new folder for savedmodel.
        size: (height, width) of the pictures; None is any size, which LiteRT does not support.

    Raises:
        InputError: the run is not usable, the format does not support an option, or the file cannot be
            written.
    """
    path = Path(path)
    writers.refuse_existing(path)
    writers.check(format, path, size)
    run = RunFolder(run_dir)
    judge = model.load(run)
    if format == "keras":
        keras_file.save(judge, path)
        return
    module = _module(judge, run.config.vgg_size, size)
    writers.write(module, {"serving_default": module.classify}, format, path)


def _module(judge: keras.Model, vgg_size: int, size: tuple[int, int] | None):
    """A tf.Module with the function that is exported."""

    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.judge = judge

        @tf.function(input_signature=[graphs.image_spec(size)])
        def classify(self, image):
            enlarged = model.enlarged(graphs.as_rgb(image), vgg_size)
            return {"probabilities": ops.softmax(self.judge(enlarged, training=False))}

        serve = classify  # the name that keras.layers.TFSMLayer asks for

    return Exported()
