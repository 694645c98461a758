"""Automatic image colorization in Keras: regression and classification over 313 ab bins.

`Colorizer.load(run_dir).colorize(image)` colors a picture. Each module imports only from those below it, in
the order that tests/test_imports.py lists; importing the package alone imports none of them.
"""

__all__ = ["Colorizer", "InputError"]
__version__ = "0.1.0"


def __getattr__(name):
    """Colorizer and InputError on first use: --help must not wait the seconds that importing Keras takes."""
    if name == "Colorizer":
        from colorization.inference.colorizer import Colorizer

        return Colorizer
    if name == "InputError":
        from colorization.core.errors import InputError

        return InputError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
