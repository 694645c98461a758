"""Types of the arguments of `colorize film`."""

import argparse
import re
from fractions import Fraction

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")  # hours, minutes, seconds


def seconds(text: str) -> float:
    """Parse a time for argparse.

    Args:
        text: such as 90, 1:30 or 0:01:30.5.

    Returns:
        Seconds.

    Raises:
        argparse.ArgumentTypeError: the text has another form.
    """
    found = _TIME.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 90, 1:30 or 0:01:30.5")
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest


def frame_rate(text: str) -> Fraction:
    """Parse a frame rate for argparse.

    Args:
        text: frames per second, such as 24, 29.97 or 30000/1001.

    Returns:
        Frames per second, above 0 and at most 1000.

    Raises:
        argparse.ArgumentTypeError: the text has another form, or the rate is out of range.
    """
    try:
        rate = Fraction(text).limit_denominator(1001 * 1000)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a frame rate such as 24, 29.97 or 30000/1001")
    return rate
