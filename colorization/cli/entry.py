"""The entry point of `colorize`: Ctrl-C is handled before anything else is imported."""

from colorization.core import interrupts

interrupts.arm()

from colorization.cli.main import main  # noqa: E402

__all__ = ["main"]
