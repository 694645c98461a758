"""`colorize presets`: list the trained models of the package, or show one."""

import argparse

from colorization.core.errors import InputError
from colorization.runs import resolve
from colorization.runs.folder import RunFolder


def run(arguments: argparse.Namespace) -> None:
    """List all presets, or print the card or the folder of one."""
    if arguments.name:
        folder = resolve.preset_folder(arguments.name)
        print(folder if arguments.path else RunFolder(folder).card_path.read_text(encoding="utf-8").strip())
        return
    if arguments.path:
        raise InputError("Name the preset whose folder --path is to show; `colorize presets` lists them.")
    found = resolve.all_presets()
    width = max((len(preset.name) for preset in found), default=0)
    for preset in found:
        print(f"{preset.name:{width}}  {preset.size / 1e6:5.1f} MB  {preset.title}")
