"""A few frames of a film in color, side by side as a picture."""

import cv2
import numpy as np

from colorization.core import color_numpy, image_files
from colorization.core.typing import StrPath
from colorization.inference.films import film_frames
from colorization.inference.films.film import Settings, rendered
from colorization.inference.films.film_reading import opened
from colorization.inference.films.temporal_smoothing import Predict

_SHOWN = 5  # frames
_SHOWN_HEIGHT = 360  # pixels of each


def preview(source: StrPath, target: StrPath, predict: Predict, settings: Settings | None = None) -> None:
    """Color five frames of a film and write them side by side as a picture.

    Args:
        source: path of the film, as in `color`.
        target: path of the picture; its suffix chooses the format.
        predict: the colorizer, as in `color`.
        settings: see Settings; None is the default of each.

    Raises:
        InputError: the source is not a film, or the target cannot be written.
    """
    settings = settings or Settings()
    with opened(source, settings.fps) as film:
        seconds = film.seconds or float(_SHOWN)
        length = min(settings.end or seconds, seconds) - settings.start
    moments = [settings.start + length * (i + 0.5) / _SHOWN for i in range(_SHOWN)]
    shown = _pictures_at(source, moments, settings) or _pictures_at(source, [settings.start], settings)
    if not shown:
        raise film_frames.empty_part(source)
    colored = [_small(_colored(rgb, predict, settings.rendering)) for rgb in shown]
    image_files.write(target, np.concatenate(colored, axis=1))


def _pictures_at(source, moments, settings):
    """The RGB of a frame for each moment that has one."""
    found = (_picture_at(source, moment, settings) for moment in moments)
    return [picture for picture in found if picture is not None]


def _picture_at(source, moment, settings):
    """The RGB of the first frame at or after a moment, in seconds; None if there is none."""
    with opened(source, settings.fps) as film:
        properties = film_frames.examine(film, moment)
    with opened(source, settings.fps) as film:
        found = film_frames.pictures(film, properties, start=moment, deinterlace=settings.deinterlace)
        picture = next(found, None)
        return None if picture is None else picture.rgb


def _colored(rgb, predict, rendering):
    lightness = color_numpy.lightness(rgb)
    colored = rendered(rgb, predict(lightness[None])[0], rendering)
    return colored if colored.dtype == np.uint8 else (colored >> 8).astype(np.uint8)


def _small(rgb):
    """The picture at the height of a preview; smaller ones are not enlarged."""
    height = min(_SHOWN_HEIGHT, len(rgb))
    width = max(1, round(rgb.shape[1] * height / len(rgb)))
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
