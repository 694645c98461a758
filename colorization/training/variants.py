"""The variants of the colorizers: named settings of a training.

smoke takes seconds, on the built-in synthetic data. small takes one to three hours on 2 CPU cores. paper has
the hyperparameters of the paper (section 5.1), original those of the paper's code. Both are for a GPU. The
page on the method lists their differences.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from colorization.core.config import ClassificationConfig, Config, RegressionConfig, TransferConfig

_COSINE: dict[str, Any] = {"learning_rate": 1e-3, "schedule": "cosine"}
_REBALANCED: dict[str, Any] = {"rebalance": True, "rebalance_mix": 0.9}
_SYNTHETIC: dict[str, Any] = {
    "data": "synthetic",
    "width": 0.125,
    "epochs": 3,
    "train_size": 1000,
    "dev_size": 100,
    "test_size": 100,
    "batch_size": 32,
}

ORIGINAL: dict[str, Any] = {
    "l2": 0.0,
    "half_l2": True,
    "learning_rate": 1e-3,
    "adam_epsilon": 1e-8,
    "epochs": 20,
    "predict_by": "last",
}
"""The settings of the paper's code that colorizers and judges share."""

_ORIGINAL_CLASSIFICATION: dict[str, Any] = ORIGINAL | {
    "pixel_reduction": "mean",
    "neighbors": 1,
    "temperature": 0.32,
    "best_by": "pixel_accuracy",
}

_regression = RegressionConfig()
_small_regression = replace(_regression, width=0.25, epochs=20, flip=True, **_COSINE)

REGRESSION: Mapping[str, Config] = {
    "smoke": replace(_small_regression, **_SYNTHETIC),
    "small": _small_regression,
    "paper": _regression,
    "original": replace(_regression, pixel_reduction="mean", **ORIGINAL),
}

_classification = ClassificationConfig(l2=0.01)
# Without rebalancing a small network stays nearly gray
_small_classification = replace(
    _classification, l2=0.0, width=0.25, epochs=20, flip=True, **_COSINE, **_REBALANCED
)

CLASSIFICATION: Mapping[str, Config] = {
    "smoke": replace(_small_classification, **_SYNTHETIC),
    "small": _small_classification,
    "paper": _classification,
    "original": replace(_classification, **_ORIGINAL_CLASSIFICATION),
}

_transfer = TransferConfig(l2=0.01, epochs=50)
# The first blocks of a judge take the place of ImageNet's weights
_small_transfer = replace(
    _transfer,
    l2=0.0,
    width=0.25,
    epochs=15,
    **_COSINE,
    **_REBALANCED,
    vgg_weights="runs/judge-small",
    vgg_size=64,
    vgg_blocks=4,
    vgg_width=0.5,
    batch_norm=True,
    frozen_blocks=4,
)

TRANSFER: Mapping[str, Config] = {
    "smoke": replace(
        _small_transfer, **(_SYNTHETIC | {"epochs": 8}), vgg_weights="runs/judge-smoke", vgg_width=0.125
    ),
    "small": _small_transfer,
    "paper": _transfer,
    "original": replace(
        _transfer, rgb_range="0-1", subtract_mean=False, bn_after_relu=True, **_ORIGINAL_CLASSIFICATION
    ),
}

_small_photos = replace(
    _small_classification,
    data="photographs",
    train_size=10**7,
    epochs=4,
    crop_from=36,
    rebalance_mix=0.7,
)

PHOTOS: Mapping[str, Config] = {
    "smoke": replace(CLASSIFICATION["smoke"], crop_from=40),
    "small": _small_photos,
    "fine": replace(
        _small_photos,
        image_size=64,
        crop_from=80,
        epochs=8,
        batch_size=32,
        learning_rate=2e-4,
    ),
    "full": replace(_small_photos, width=1.0, image_size=128, crop_from=160, epochs=60, learning_rate=3e-4),
}
"""small sees 32 pixels; fine continues at 64, where it learns finer patches; full is for a GPU."""
