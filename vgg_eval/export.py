"""A judge's run -> a file or folder that classifies pictures where this project is not installed.

    python -m vgg_eval.export RUN --format onnx -o judge.onnx

Input: uint8 gray or RGB pictures of any size (LiteRT: of the given size). Output: probabilities, in the
order of the classes in the run's data.json.
"""

import argparse
from pathlib import Path

import vgg_eval
from colorization.cli.console import run_command, run_script, size, start_keras
from colorization.runs.resolve import run_folder


def main(argv: list[str] | None = None) -> int:
    """Export a judge.

    Args:
        argv: arguments; None is the command line.

    Returns:
        Exit code, see run_command.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="a judge's run folder, or a preset's name")
    parser.add_argument("--format", required=True, choices=("savedmodel", "onnx", "litert", "keras"))
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="PATH")
    parser.add_argument("--size", type=size, metavar="HEIGHTxWIDTH", help="accept pictures of this size only")
    return run_command(_export, parser.parse_args(argv))


def _export(arguments: argparse.Namespace) -> None:
    start_keras()
    run_dir = run_folder(arguments.run)
    vgg_eval.judge_export.export_judge(run_dir, arguments.format, arguments.output, size=arguments.size)
    print(arguments.output)


if __name__ == "__main__":
    run_script(main)
