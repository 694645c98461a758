"""`colorize presets`: list the trained models of the package, show one, or make one of a run."""

import argparse
import re

from colorization import export  # lazy: make() imports Keras
from colorization.core.errors import InputError
from colorization.runs import resolve
from colorization.runs.folder import RunFolder

_MAKE = "make"  # `colorize presets make` is a command, not a preset


def run(arguments: argparse.Namespace) -> None:
    """List all presets, or print the card or the folder of one.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the preset does not exist or is damaged, or --path is given without a name.
    """
    if arguments.name:
        folder = resolve.preset_folder(arguments.name)
        print(folder if arguments.path else RunFolder(folder).card_path.read_text(encoding="utf-8").strip())
        return
    if arguments.path:
        raise InputError("--path needs the name of a preset. `colorize presets` lists the names.")
    found = resolve.all_presets()
    width = max((len(preset.name) for preset in found), default=0)
    for preset in found:
        print(f"{preset.name:{width}}  {preset.size / 1e6:5.1f} MB  {preset.title}")


def make(arguments: argparse.Namespace) -> None:
    """Write a preset and print its path.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the name is not allowed, or the run is not usable.
    """
    if arguments.name == _MAKE or not re.fullmatch(r"\w[\w.-]*", arguments.name):
        raise InputError(f"{arguments.name!r} cannot be the name of a preset. Choose another name.")
    run = RunFolder(arguments.run)
    run.weights()  # refuses a path without a run
    card = export.Card(arguments.title, arguments.data, arguments.bad_at, arguments.command_line)
    target = (arguments.to or resolve.PRESETS) / arguments.name
    target.parent.mkdir(parents=True, exist_ok=True)
    export.make_preset(run.path, target, card, changes=arguments.set, onnx=arguments.onnx)
    print(target)
