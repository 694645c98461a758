"""`colorize film`: color a film."""

import argparse
import json
from pathlib import Path

from colorization.core.errors import InputError, printable
from colorization.inference import loading
from colorization.inference.films import film, film_preview
from colorization.inference.rendering import PLAIN, check


def run(arguments: argparse.Namespace) -> None:
    """Color a film, or a few of its frames, and print the path of the result.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the film cannot be read or colored, or the target is not usable.
    """
    film.refuse_missing(arguments.path)
    settings, target = _settings(arguments), _target(arguments)
    if target.exists() and arguments.resume:
        print(target)
        return
    if target.exists() and not arguments.overwrite:
        raise InputError(
            f"{printable(target)} already exists: pass --overwrite, --resume, or another name with -o."
        )
    size = film.size(arguments.path, settings)
    model = loading.load(
        arguments.model,
        decoding=arguments.decoding,
        temperature=arguments.temperature,
        working_size=arguments.working_size,
    )
    if arguments.upsampling:
        model.check_upsampling()
    if arguments.preview:
        film_preview.preview(arguments.path, target, model.predict_ab, settings)
    else:
        key = [arguments.decoding, arguments.temperature, arguments.working_size, model.fingerprint(*size)]
        film.color(arguments.path, target, model.predict_ab, json.dumps(key), settings)
    print(target)


def _target(arguments) -> Path:
    """The path of the result."""
    ending = "-preview.png" if arguments.preview else "-colorized.mkv"
    target = arguments.output or film.default_target(arguments.path, ending)
    if arguments.preview:
        film.refuse_source(arguments.path, target)
    else:
        film.check(arguments.path, target)
    return target


def _settings(arguments):
    if arguments.end is not None and arguments.end <= arguments.start:
        raise InputError("--end lies before --start: give a later --end.")
    interval = 1 if arguments.no_smoothing else arguments.keyframes
    upsampling = arguments.upsampling or PLAIN.upsampling
    rendering = PLAIN._replace(upsampling=upsampling, saturation=arguments.saturation)
    check(rendering)
    return film.Settings(
        start=arguments.start,
        end=arguments.end,
        fps=arguments.fps,
        interval=interval,
        smooth=not arguments.no_smoothing,
        deinterlace=not arguments.no_deinterlace,
        rendering=rendering,
    )
