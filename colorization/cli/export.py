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
    if not arguments.output and (arguments.format != "onnx" or resolve.is_shipped(folder)):
        raise InputError(f"Name the new {arguments.format} file or folder with -o.")
    output = arguments.output or folder.onnx_path
    writers.export_model(
        folder.path,
        arguments.format,
        output,
        decoding=arguments.decoding,
        working_size=arguments.working_size,
        size=arguments.size,
    )
    print(output)
