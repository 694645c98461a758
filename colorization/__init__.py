"""Automatic image colorization in Keras: regression and classification over 313 ab bins.

`colorization.load("photos").colorize(image)` colors a picture. Importing this package imports neither Keras
nor any of its own modules: each public name is imported on first use.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from colorization.core.errors import InputError
    from colorization.evaluation.evaluator import evaluate
    from colorization.export.writers import export_model
    from colorization.inference.colorizer import Colorizer
    from colorization.inference.loading import load
    from colorization.training.trainer import train

__all__ = ["Colorizer", "InputError", "evaluate", "export_model", "load", "train"]
__version__ = "0.1.0"

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "core.errors": ["InputError"],
        "evaluation.evaluator": ["evaluate"],
        "export.writers": ["export_model"],
        "inference.colorizer": ["Colorizer"],
        "inference.loading": ["load"],
        "training.trainer": ["train"],
    },
)
