"""The variants of the judge, and those of all runs of Figures 7 and 8."""

from collections.abc import Mapping
from dataclasses import replace

from colorization.core.config import Config
from colorization.training.variants import CLASSIFICATION, ORIGINAL, REGRESSION, TRANSFER
from vgg_eval.config import JudgeConfig

_paper = JudgeConfig()
_small = replace(
    _paper,
    train_size=50_000,
    dev_size=5_000,
    test_size=5_000,
    epochs=24,
    learning_rate=1e-3,
    schedule="cosine",
    flip=True,
    shift=4,
    weight_decay=0.05,
    vgg_weights="none",
    vgg_size=32,
    width=0.5,
    head_width=512,
    batch_norm=True,
    frozen_blocks=0,
)
_smoke = replace(
    _small,
    data="synthetic",
    train_size=1000,
    dev_size=100,
    test_size=100,
    epochs=3,  # too few to need regularization
    shift=0,
    weight_decay=0.0,
    batch_size=32,
    width=0.125,
    head_width=64,
)

_original = replace(_paper, best_by="accuracy", pretrained_head=True, frozen_blocks=6, **ORIGINAL)

COLOR = {
    "smoke": _smoke,
    "small": _small,
    "paper": _paper,
    "original": _original,
    "original-all": replace(_original, frozen_blocks=0),
}
GRAY = {name: replace(settings, gray=True) for name, settings in COLOR.items()}

JUDGE: Mapping[str, Config] = COLOR | {f"{name}-gray": settings for name, settings in GRAY.items()}
"""Those with -gray train the control, on gray images. original trains the last layer, original-all all."""

FIGURES: dict[str, Mapping[str, Config]] = {
    "judge": COLOR,
    "control": GRAY,
    "regression": REGRESSION,
    "classification": CLASSIFICATION,
    "transfer": TRANSFER,
}
"""{role: {variant: Config}} of the runs of Figures 7 and 8, see options.ROLES."""
