"""`colorize train`: train a colorizer, or a network of a plug-in."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from colorization.cli import experiment
from colorization.cli.trainings import trainings
from colorization.core.config import ColorizerConfig, TransferConfig
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets import photographs
from colorization.runs.old_names import judge_folder
from colorization.training import variants


def run(arguments: argparse.Namespace) -> None:
    """Train, evaluate and print the evaluation.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: data, weights, folder or settings are not usable.
    """
    experiment.run(trainings()[arguments.training], arguments)


def transfer(config: TransferConfig, run_dir: StrPath, *, resume: bool = False) -> str:
    """Train and evaluate a transfer. The judge may be in a run folder of version 0.1.

    Args:
        config: the config of the transfer.
        run_dir: path of the run folder.
        resume: whether to continue the run in the folder.

    Returns:
        The evaluation as a table.

    Raises:
        InputError: data, weights, folder or settings are not usable.
    """
    weights = Path(config.vgg_weights)
    if weights.name.startswith("judge-"):
        weights = judge_folder(weights.parent, weights.name.removeprefix("judge-"))
        config = replace(config, vgg_weights=str(weights))
    return experiment.train_and_evaluate(config, run_dir, resume=resume)


def photos(config: ColorizerConfig, run_dir: StrPath, *, resume: bool = False) -> str:
    """Train and evaluate a colorizer of photographs.

    Args:
        config: the config of the colorizer.
        run_dir: path of the run folder.
        resume: whether to continue the run in the folder.

    Returns:
        The evaluation as a table.

    Raises:
        InputError: no photographs are named, or data, folder or settings are not usable.
    """
    if config.data == variants.PHOTOS["small"].data:
        raise InputError("Name the folders of your photographs with --data FOLDER [FOLDER ...].")
    return experiment.train_and_evaluate(config, run_dir, resume=resume)


def prepare_photos(folders: Sequence[StrPath], config: ColorizerConfig) -> Path:
    """Prepare the photographs in folders, at the side that the training needs.

    Args:
        folders: paths of folders.
        config: the config of the training.

    Returns:
        Path of the prepared set.

    Raises:
        InputError: the photographs are not usable.
    """
    return photographs.prepare(folders, config.crop_from or config.image_size)
