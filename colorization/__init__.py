"""Automatic image colorization in Keras: regression and classification over 313 ab bins.

`Colorizer.load(run_dir).colorize(image)` colours a picture. The modules, from the top down, each of which
imports only from below: cli, experiment; command, figures, inference; evaluation; training; fitting;
features; pretrained; runs, prediction, pipelines, hardware; datasets, images; tasks; models, losses,
metrics, weights, statistics; presets; bins; color; config, files, errors. Importing the package alone
imports none of them.
"""

__all__ = ["Colorizer", "InputError"]
__version__ = "0.1.0"


def __getattr__(name):
    """Colorizer and InputError on first use: --help must not wait the seconds that importing Keras takes."""
    if name == "Colorizer":
        from .inference import Colorizer

        return Colorizer
    if name == "InputError":
        from .errors import InputError

        return InputError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
