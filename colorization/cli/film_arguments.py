"""Types of the arguments of `colorize film`."""

import argparse
import re
from fractions import Fraction

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")  # hours, minutes, seconds


def seconds(text: str) -> float:
    """For argparse: seconds of a time such as 90, 1:30 or 0:01:30.5."""
    found = _TIME.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 90, 1:30 or 0:01:30.5")
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest


def frame_rate(text: str) -> Fraction:
    """For argparse: frames per second, such as 24, 29.97 or 30000/1001."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a frame rate such as 24, 29.97 or 30000/1001")
    return rate.limit_denominator(1001 * 1000)
