"""The judge as a task of the trainer: JudgeConfig -> a trained judge in a run folder."""

import keras

from colorization.core.config import Config
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets import Images
from colorization.datasets.pipeline import mirrored
from colorization.models.tasks import Task
from colorization.runs.folder import RunFolder
from colorization.training import trainer
from vgg_eval import model
from vgg_eval.columns import gray
from vgg_eval.config import JudgeConfig


def train_judge(config: Config | None, run_dir: StrPath, *, resume: bool = False) -> RunFolder:
    """Train a judge: trainer.train with the judge's task.

    Frozen blocks run once, if no image is augmented: the head then trains on their stored features.

    Args:
        config: a JudgeConfig; None is the config of the run to resume.
        run_dir: path of the run folder; new or empty unless `resume`.
        resume: continue exactly after the last finished epoch.

    Returns:
        The RunFolder.

    Raises:
        InputError: data, weights, folder or settings are not usable, or the loss is NaN.
    """
    return trainer.train(config, run_dir, resume=resume, task=JUDGE)


def _build(config, classes):
    if len(classes) < 2:
        raise InputError(
            f"{config.data} has no classes, but a judge needs them. Name a folder train/<class>/ of images."
        )
    return model.build_judge(config, classes)


def _arrays(config, images: Images):
    return (gray(images.images) if config.gray else images.images), images.labels


def _transform(config):
    def transform(rgb, labels, flips):
        return model.enlarged(mirrored(rgb, flips), config.vgg_size), labels

    return transform


JUDGE = Task(
    config=JudgeConfig,
    build=_build,
    loss=lambda config, prior: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    pretrained=lambda config: (config.vgg_weights, config.pretrained_head),
    arrays=_arrays,
    transform=_transform,
    metrics=lambda config: ("accuracy",),
)
"""The judge: it has no decodings, and its target is the class."""
