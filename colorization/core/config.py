"""Every setting of a training run: frozen dataclasses <-> JSON.

A task's config class holds the fields that all runs share and those of its own, so that each field is
read by something. The defaults are the report's own hyper-parameters (section 5.1) where it states them.
"""

import dataclasses
import json
import math
import sys
from typing import ClassVar

from colorization.core.errors import InputError

TEMPERATURE = 0.89  # of the annealed mean: the report's choice (section 4.1.3)


def option(default, help, *, choices=None, low=None, high=None, multiple=None):
    """A field of a Config: its default, a line for --help, and what values it takes."""
    return dataclasses.field(
        default=default,
        metadata={"help": help, "choices": choices, "low": low, "high": high, "multiple": multiple},
    )


CONFIGS = {}
"""{task name: class of its settings}. A subclass of Config with a `task` registers itself."""


@dataclasses.dataclass(frozen=True)
class Config:
    """What every training run has. Raises InputError for a value out of its range."""

    task: ClassVar[str]

    data: str = option("cifar10", "cifar10, cifar100, synthetic or a path")
    image_size: int = option(
        32, "side of the training images, in pixels, a multiple of 8", low=16, high=1024, multiple=8
    )
    train_size: int = option(50_000, "at most so many training images", low=1)
    dev_size: int = option(5_000, "at most so many dev images", low=1)
    test_size: int = option(5_000, "at most so many test images", low=1)
    stratified: bool = option(False, "take equally many images of each class")
    split_seed: int = option(0, "decides which images are dev and which test", low=0, high=2**32 - 1)
    seed: int = option(0, "decides the initial weights, the order and the flips", low=0, high=2**32 - 1)

    width: float = option(1.0, "multiplies the number of channels of every block", low=0.01, high=4)
    l2: float = option(0.0, "lambda: weight of the sum of squared kernel weights in the loss", low=0)

    dropout: float = option(0.0, "share of the values that dropout removes in training", low=0, high=0.9)
    weight_decay: float = option(0.0, "decoupled weight decay of the kernels (AdamW)", low=0, high=1)

    epochs: int = option(100, "passes over the training images", low=1)
    batch_size: int = option(128, "images in a training step", low=1)
    dev_batch_size: int = option(64, "images in a dev or test step", low=1)
    learning_rate: float = option(1e-4, "of Adam, at its highest", low=0)
    schedule: str = option("constant", "of the learning rate", choices=("constant", "cosine"))
    flip: bool = option(False, "mirror half of the training images, anew in each epoch")
    crop_from: int = option(
        0,
        "train on random crops of images of this side, anew in each epoch; 0: on whole ones",
        low=0,
        high=4096,
    )
    shift: int = option(
        0,
        "shift the training images by up to so many pixels, reflected at the border, anew in each epoch",
        low=0,
        high=64,
    )
    init_from: str = option("none", "initial weights: none, a run folder or a preset's name")

    precision: str = option(
        "auto",
        "auto takes bfloat16 where the machine computes in it",
        choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    )
    jit: str = option("auto", "XLA; auto: on a GPU only", choices=("auto", "on", "off"))
    distribute: str = option(
        "auto", "MirroredStrategy; auto: with several GPUs", choices=("auto", "mirrored", "off")
    )
    tensorboard: bool = option(False, "write TensorBoard logs")

    def __init_subclass__(cls):
        if "task" in cls.__dict__:
            CONFIGS[cls.task] = cls

    def __post_init__(self):
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        if self.shift >= (self.crop_from or self.image_size):
            raise InputError(f"shift={self.shift} is not smaller than the side of the images.")
        if 0 < self.crop_from < self.image_size:
            raise InputError(f"crop_from={self.crop_from} is smaller than image_size={self.image_size}.")

    @property
    def augmented(self):
        """Whether an image differs from epoch to epoch."""
        return self.flip or self.crop_from > 0 or self.shift > 0

    def refuse_frozen_noise(self):
        """Raise InputError for frozen layers that no weights are loaded into."""


@dataclasses.dataclass(frozen=True)
class ColorizerConfig(Config):
    """What every colorizer's training has besides."""

    samples_every: int = option(5, "epochs between two sample pictures", low=1)
    working_size: int = option(
        0, "shorter side at which color is predicted of a picture, in pixels; 0: image_size", low=0
    )


@dataclasses.dataclass(frozen=True)
class RegressionConfig(ColorizerConfig):
    """The regression onto ab (report, section 4.1.1)."""

    task: ClassVar[str] = "regression"


@dataclasses.dataclass(frozen=True)
class ClassificationConfig(ColorizerConfig):
    """The classification over 313 ab bins (report, section 4.1.2)."""

    task: ClassVar[str] = "classification"

    neighbors: int = option(5, "bins in the soft encoding of a color; 1: the nearest, hard", low=1, high=32)
    sigma: float = option(5.0, "of the soft encoding's Gaussian, in ab units", low=1e-3)
    rebalance: bool = option(False, "weight pixels by the rarity of their color (Zhang et al., Eq. 2-4)")
    rebalance_mix: float = option(0.5, "lambda of Eq. 4: share of the uniform distribution", low=0, high=1)
    rebalance_sigma: float = option(5.0, "smoothing of the prior over bins, in ab units", low=0)
    temperature: float = option(TEMPERATURE, "of the annealed mean: 0 is the mode, 1 the mean", low=0)


@dataclasses.dataclass(frozen=True)
class VggConfig(Config):
    """What every model has that begins with the blocks of VGG16."""

    vgg_weights: str = option("imagenet", "of its blocks: imagenet, none, a file, or a judge's run folder")
    vgg_size: int = option(224, "side to which its input is enlarged, in pixels", low=16, high=1024)
    batch_norm: bool = option(False, "batch normalization in its blocks")
    frozen_blocks: int = option(5, "its first so many blocks are not trained", low=0, high=5)

    def refuse_frozen_noise(self):
        """Raise InputError for frozen blocks that no weights are loaded into."""
        if self.vgg_weights == self.init_from == "none" and self.frozen_blocks:
            raise InputError(
                "Frozen blocks need pretrained weights: give them by --vgg-weights, or set frozen_blocks=0."
            )


@dataclasses.dataclass(frozen=True)
class TransferConfig(VggConfig, ClassificationConfig):
    """The classification by transfer from VGG16 (report, section 4.1.2)."""

    task: ClassVar[str] = "transfer"

    vgg_blocks: int = option(5, "blocks of VGG16 in use", low=1, high=5)
    vgg_width: float = option(1.0, "multiplies the number of channels of VGG16's blocks", low=0.01, high=4)


def override(config, assignments):
    """A copy of `config` with each "key=value" of `assignments` applied.

    Values are written as in JSON; text needs no quotes. Raises InputError for an unknown field, listing
    the fields, and for a value of the wrong type or out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(config)}
    changes = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        key = key.strip()
        if not separator:
            raise InputError(f"--set takes key=value, not {assignment!r}.")
        if key in _OLD_FIELDS:
            print(f"{key} is deprecated: use {_OLD_FIELDS[key]}.", file=sys.stderr)
            key = _OLD_FIELDS[key]
        if key not in fields:
            raise InputError(f"Unknown field {key!r}; the fields are: {', '.join(fields)}.")
        changes[key] = _parse(fields[key], text.strip())
    return dataclasses.replace(config, **changes)


def to_json(config):
    """The config as JSON text, its task's name included."""
    return json.dumps({"task": config.task, **dataclasses.asdict(config)}, indent=2) + "\n"


def read(path):
    """The Config that to_json wrote into a file. Fields and tasks of version 0.1 get their new names.

    Args:
        path: Path of the file.

    Raises:
        InputError: there is no such file, its task is unknown, or it cannot be understood.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path.parent} is not a run folder: it has no {path.name}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}).") from None
    task = values.get("task") if isinstance(values, dict) else None
    task = _OLD_TASKS.get(task, task) if isinstance(task, str) else task
    if not isinstance(task, str) or task not in CONFIGS:
        raise InputError(f"{path} names the task {task!r}, not one of {', '.join(CONFIGS)}.")
    return from_dict(CONFIGS[task], values, path)


def from_dict(config_class, values, source):
    """The config of to_json's values; `source` names the file in errors. Raises InputError."""
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


def describe(settings):
    """One line per field of a Config: name, value, help (for --help)."""
    return "\n".join(
        f"  {field.name}={json.dumps(getattr(settings, field.name))}  {field.metadata['help']}"
        + (f" ({', '.join(field.metadata['choices'])})" if field.metadata["choices"] else "")
        for field in dataclasses.fields(settings)
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


def _check(field, value):
    rule = field.metadata
    if type(value) is not field.type or (field.type is float and not math.isfinite(value)):
        raise InputError(f"{field.name} takes {_KINDS[field.type]}, not {value!r}.")
    if rule["choices"] and value not in rule["choices"]:
        raise InputError(f"{field.name} is one of {', '.join(rule['choices'])}, not {value!r}.")
    if rule["low"] is not None and value < rule["low"]:
        raise InputError(f"{field.name} is at least {rule['low']}, not {value!r}.")
    if rule["high"] is not None and value > rule["high"]:
        raise InputError(f"{field.name} is at most {rule['high']}, not {value!r}.")
    if rule["multiple"] is not None and value % rule["multiple"]:
        raise InputError(f"{field.name} is a multiple of {rule['multiple']}, not {value!r}.")


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}

_OLD_FIELDS = {"start": "init_from", "grey": "gray"}
_OLD_TASKS = {"vgg": "judge"}
"""Names of version 0.1 -> names of today."""
