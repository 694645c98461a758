"""Measure judges on gray images of both scales, 0 to 255 and 0 to 1.

    python -m vgg_eval.grayscale runs/judge-small runs/judge-small-gray

The original code stored the gray images on a scale of 0 to 1 and the colored ones on 0 to 255. Its judge
subtracts the same mean RGB from both. Each named judge sees its own test images, true and gray, on both
scales: all of them, and the first 1,000, as many as the paper had. Writes grayscale.md and grayscale.json.
"""

import argparse
import json
from pathlib import Path

import vgg_eval
from colorization.cli.console import run_command, run_script, start_keras
from colorization.core.atomic_io import write_text
from colorization.runs.resolve import run_folder


def main(argv: list[str] | None = None, doc: str | None = __doc__) -> int:
    """Measure judges on gray images.

    Args:
        argv: arguments; None is the command line.
        doc: description for --help.

    Returns:
        Exit code, see run_command.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judges", nargs="+", metavar="RUN", help="judges' run folders, or names of presets")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("runs/grayscale"),
        metavar="DIR",
        help="default: runs/grayscale",
    )
    return run_command(_write, parser.parse_args(argv))


def _write(arguments: argparse.Namespace) -> None:
    folders = {name: run_folder(name) for name in arguments.judges}
    start_keras()
    report = {name: vgg_eval.gray_scales.measure(folder) for name, folder in folders.items()}
    text = vgg_eval.gray_scales.markdown(report)
    write_text(arguments.output / "grayscale.json", json.dumps(report, indent=2) + "\n")
    write_text(arguments.output / "grayscale.md", text)
    print(text)


if __name__ == "__main__":
    run_script(main)
