"""`colorize export`: write a run in another format."""

import argparse

from colorization.core.errors import InputError
from colorization.export import writers
from colorization.runs import resolve
from colorization.runs.folder import RunFolder


def run(arguments: argparse.Namespace) -> None:
    """Export a run and print the new path.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the path is missing, or the export fails.
    """
    folder = RunFolder(resolve.run_folder(arguments.run))
    options = {name: getattr(arguments, name) for name in ("decoding", "working_size", "size")}
    if arguments.output:
        writers.export_model(folder.path, arguments.format, arguments.output, **options)
        print(arguments.output)
        return
    if arguments.format != "onnx" or resolve.is_shipped(folder):
        raise InputError(f"Name the new {arguments.format} file or folder with -o.")
    if given := [name for name, value in options.items() if value is not None]:
        raise InputError(
            f"{folder.onnx_path} has the settings of its run. Leave out --{given[0].replace('_', '-')}, "
            "or choose another path with -o."
        )
    print(writers.export_network(folder.path))
