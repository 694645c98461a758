"""Every setting of a training run: frozen dataclasses <-> JSON.

A config class has the fields that all tasks share and the fields of its own task. The defaults are the
hyperparameters of the paper (section 5.1) where it states them.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from colorization.core.config_fields import check, option
from colorization.core.errors import InputError

TEMPERATURE = 0.89  # of the annealed mean: the choice of the paper (section 4.1.3)


CONFIGS: dict[str, type["Config"]] = {}
"""The class of the settings of each task, by the name of the task. A class with a `task` registers itself."""


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of every training. Raises InputError for a value that is not allowed."""

    task: ClassVar[str]

    data: str = option("cifar10", "cifar10, cifar100, synthetic or a path")
    image_size: int = option(
        32, "side of the training images, in pixels, a multiple of 8", low=16, high=1024, multiple=8
    )
    train_size: int = option(50_000, "maximum number of training images", low=1)
    dev_size: int = option(5_000, "maximum number of dev images", low=1)
    test_size: int = option(5_000, "maximum number of test images", low=1)
    stratified: bool = option(False, "select the same number of images of each class")
    split_seed: int = option(0, "seed of the split into dev and test images", low=0, high=2**32 - 1)
    seed: int = option(0, "seed of weights, order and augmentation", low=0, high=2**32 - 1)

    width: float = option(1.0, "factor on the channels; a transfer has vgg_width for VGG16", low=0.01, high=4)
    l2: float = option(0.0, "lambda: weight of the sum of squared kernel weights in the loss", low=0)
    half_l2: bool = option(False, "the weight is lambda / 2, as in the code of the paper")

    dropout: float = option(0.0, "dropout rate", low=0, high=0.9)
    weight_decay: float = option(0.0, "decoupled weight decay of the kernels (AdamW)", low=0, high=1)

    epochs: int = option(100, "passes over the training images", low=1)
    batch_size: int = option(128, "images in a training step", low=1)
    dev_batch_size: int = option(64, "images in a dev or test step", low=1)
    learning_rate: float = option(1e-4, "highest learning rate of Adam", low=0)
    adam_epsilon: float = option(1e-7, "epsilon of Adam; 1e-8 in TensorFlow 1", low=0, high=1)
    schedule: str = option("constant", "schedule of the learning rate", choices=("constant", "cosine"))
    flip: bool = option(False, "mirror a random half of the training images in each epoch")
    crop_from: int = option(
        0, "train on random crops of images of this side, in pixels; 0: on whole images", low=0, high=4096
    )
    shift: int = option(
        0, "greatest random shift of the training images, in pixels, with reflection", low=0, high=64
    )
    init_from: str = option("none", "initial weights: none, a run folder or a preset's name")
    best_by: str = option("loss", "dev value that decides the best epoch", choices=("loss",))
    predict_by: str = option("best", "epoch whose weights predict", choices=("best", "last"))

    precision: str = option(
        "auto",
        "auto: bfloat16 where the hardware is fast at it",
        choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    )
    jit: str = option(
        "auto",
        "XLA compilation; auto: on a GPU, else of feed and loss",
        choices=("auto", "on", "off"),
    )
    distribute: str = option(
        "auto", "TensorFlow's MirroredStrategy; auto: with several GPUs", choices=("auto", "mirrored", "off")
    )
    tensorboard: bool = option(False, "write TensorBoard logs")

    def __init_subclass__(cls) -> None:
        if "task" in cls.__dict__:
            CONFIGS[cls.task] = cls

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check(field, getattr(self, field.name))
        if self.shift >= (self.crop_from or self.image_size):
            raise InputError(f"shift={self.shift} must be smaller than the side of the images.")
        if 0 < self.crop_from < self.image_size:
            raise InputError(f"crop_from={self.crop_from} is smaller than image_size={self.image_size}.")

    @property
    def augmented(self) -> bool:
        """Whether the training images differ from epoch to epoch."""
        return self.flip or self.crop_from > 0 or self.shift > 0

    @property
    def penalty(self) -> float:
        """The factor of the sum of squared kernel weights in the loss."""
        return self.l2 / 2 if self.half_l2 else self.l2

    def refuse_frozen_noise(self) -> None:
        """Raise InputError for frozen layers that no weights are loaded into."""


@dataclasses.dataclass(frozen=True)
class ColorizerConfig(Config):
    """The settings of every colorizer."""

    pixel_reduction: str = option(
        "sum", "reduction of the loss over the pixels of an image", choices=("sum", "mean")
    )
    samples_every: int = option(5, "number of epochs between two sample pictures", low=1)
    working_size: int = option(
        0, "shorter side of a picture for the prediction of color, in pixels; 0: image_size", low=0
    )


@dataclasses.dataclass(frozen=True)
class RegressionConfig(ColorizerConfig):
    """The regression onto ab (paper, section 4.1.1)."""

    task: ClassVar[str] = "regression"


@dataclasses.dataclass(frozen=True)
class ClassificationConfig(ColorizerConfig):
    """The classification over 313 ab bins (paper, section 4.1.2)."""

    task: ClassVar[str] = "classification"

    best_by: str = option("loss", "dev value that decides the best epoch", choices=("loss", "pixel_accuracy"))
    neighbors: int = option(5, "bins in the soft encoding of a color; 1: hard encoding", low=1, high=32)
    sigma: float = option(5.0, "standard deviation of the soft encoding, in ab units", low=1e-3)
    rebalance: bool = option(False, "weight pixels by the rarity of their color (Zhang et al., Eq. 2-4)")
    rebalance_mix: float = option(0.5, "lambda of Eq. 4: share of the uniform distribution", low=0, high=1)
    rebalance_sigma: float = option(5.0, "smoothing of the prior over bins, in ab units", low=0)
    temperature: float = option(TEMPERATURE, "of the annealed mean: 0 is the mode, 1 the mean", low=0)


@dataclasses.dataclass(frozen=True)
class VggConfig(Config):
    """The settings of models that begin with the blocks of VGG16."""

    vgg_weights: str = option(
        "imagenet", "weights of VGG16's blocks: imagenet, none, a file, or the run folder of a judge"
    )
    vgg_size: int = option(224, "side of the enlarged input, in pixels", low=16, high=1024)
    batch_norm: bool = option(False, "batch normalization in VGG16's blocks")
    frozen_blocks: int = option(5, "number of VGG16's leading blocks that are not trained", low=0, high=5)

    def refuse_frozen_noise(self) -> None:
        """Refuse frozen blocks without pretrained weights.

        Raises:
            InputError: blocks are frozen, and no weights are loaded into them.
        """
        if self.vgg_weights == self.init_from == "none" and self.frozen_blocks:
            raise InputError(
                "Frozen blocks need pretrained weights. Name them with --vgg-weights, or set frozen_blocks=0."
            )


@dataclasses.dataclass(frozen=True)
class TransferConfig(ClassificationConfig, VggConfig):
    """The classification by transfer from VGG16 (paper, section 4.1.2)."""

    task: ClassVar[str] = "transfer"

    working_size: int = option(0, "0: a transfer sees every picture at its image_size", low=0, high=0)
    vgg_blocks: int = option(5, "number of VGG16's blocks in use", low=1, high=5)
    vgg_width: float = option(1.0, "factor on the number of channels of VGG16's blocks", low=0.01, high=4)
    rgb_range: str = option("0-255", "range of VGG16's input, the gray RGB", choices=("0-255", "0-1"))
    subtract_mean: bool = option(True, "subtract the mean RGB of ImageNet before VGG16's blocks")
    bn_after_relu: bool = option(
        False, "order of the three new convolutions: conv, ReLU, BN instead of conv, BN, ReLU"
    )


def override(config: Any, assignments: Iterable[str]) -> Any:
    """A copy of a config with some values changed.

    Args:
        config: a Config.
        assignments: texts "key=value". Values are written as in JSON; text needs no quotes.

    Returns:
        A Config of the same class.

    Raises:
        InputError: a field is unknown, or a value has another type or is not allowed.
    """
    fields = {field.name: field for field in dataclasses.fields(config)}
    changes = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        key = key.strip()
        if not separator:
            raise InputError(f"--set needs key=value, received {assignment!r}.")
        if key in _OLD_FIELDS:
            print(f"{key} is deprecated: use {_OLD_FIELDS[key]}.", file=sys.stderr)
            key = _OLD_FIELDS[key]
        if key not in fields:
            raise InputError(f"Unknown field {key!r}. The fields are: {', '.join(fields)}.")
        changes[key] = _parse(fields[key], text.strip())
    return dataclasses.replace(config, **changes)


def to_json(config: Config) -> str:
    """A config as JSON.

    Args:
        config: a Config.

    Returns:
        JSON text of all fields and the name of the task.
    """
    return json.dumps({"task": config.task, **dataclasses.asdict(config)}, indent=2) + "\n"


def read(path: Path) -> Any:
    """Read the Config that to_json wrote. Fields and tasks of version 0.1 get their new names.

    Args:
        path: Path of the file.

    Returns:
        A Config of the class of its task.

    Raises:
        InputError: the file is not found or cannot be read, or it has an unknown task or field.
    """
    task, values = _read(path)
    if task not in CONFIGS:
        raise InputError(f"{path} has the task {task!r}, which is not one of {', '.join(CONFIGS)}.")
    return from_dict(CONFIGS[task], values, path)


def read_task(path: Path) -> str:
    """The name of the task in a file of to_json.

    Args:
        path: Path of the file.

    Returns:
        The name, which need not be in CONFIGS.

    Raises:
        InputError: the file is not found or cannot be read.
    """
    return _read(path)[0]


def read_value(path: Path, name: str) -> Any:
    """A value in a file of to_json.

    Args:
        path: Path of the file. Its task need not be in CONFIGS.
        name: name of the value.

    Returns:
        The value, or None if there is none.

    Raises:
        InputError: the file is not found or cannot be read.
    """
    return _read(path)[1].get(name)


def _read(path):
    """(task, values) of a file of to_json. Raises InputError."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{path.parent} is not a run folder: it has no {path.name}. `colorize presets` lists the presets."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}).") from None
    task = values.get("task") if isinstance(values, dict) else None
    if not isinstance(task, str):
        raise InputError(f"{path} has the task {task!r}, which is not one of {', '.join(CONFIGS)}.")
    return _OLD_TASKS.get(task, task), values


def from_dict(config_class: type[Config], values: dict, source: Any) -> Any:
    """Make a Config from the values of to_json.

    Args:
        config_class: class of the Config.
        values: {field: value}. Fields of version 0.1 get their new names.
        source: name of the file in error messages.

    Returns:
        A Config of this class.

    Raises:
        InputError: a field is unknown, or a value is not allowed.
    """
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    values = {_OLD_FIELDS.get(name, name): value for name, value in values.items() if name != "task"}
    unknown = sorted(values.keys() - fields.keys())
    if unknown:
        raise InputError(
            f"{source} has unknown fields: {', '.join(unknown)}. Was it written by a newer version?"
        )
    try:
        return config_class(**{key: _as_float(fields[key], value) for key, value in values.items()})
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def describe(config: Config) -> str:
    """The fields of a Config for --help.

    Args:
        config: a Config.

    Returns:
        One line for each field: name, value and help.
    """
    return "\n".join(
        f"  {field.name}={json.dumps(getattr(config, field.name))}  {field.metadata['help']}"
        + (f" ({', '.join(field.metadata['choices'])})" if field.metadata["choices"] else "")
        for field in dataclasses.fields(config)
    )


def _parse(field, text):
    if field.type is str:
        return text
    try:
        return _as_float(field, json.loads(text.lower()))
    except (ValueError, RecursionError):
        return text


def _as_float(field, value):
    """Whole numbers may stand for floats, as 1 does for 1.0."""
    try:
        return float(value) if field.type is float and type(value) is int else value
    except OverflowError:
        return math.inf


_OLD_FIELDS = {"start": "init_from", "grey": "gray"}
_OLD_TASKS = {"vgg": "judge"}
"""Names of version 0.1 -> names of today."""
