"""The main job from end to end, on data that need no download: train, evaluate, colorize, draw.

    make demo

Trains the regression and the classification colorizer at smoke size on the synthetic set, measures every
decoding, colours a real photograph, and draws the pictures: about two minutes on 2 CPU cores. A second
call finds the trained runs.
"""

import shutil
import sys
from pathlib import Path

import classification
import regression

from colorization.command import run_command, start_keras
from colorization.experiment import train_and_evaluate

FOLDER = Path("runs/demo")
SIZES = ["train_size=2000", "dev_size=200", "test_size=200", "epochs=12"]


def main():
    """Train both, then draw and colour what they learned."""
    start_keras()
    from skimage import data

    from colorization import Colorizer, evaluation, figures, images
    from colorization.config import override
    from colorization.files import write_text

    run_dirs, tables = [], []
    for experiment in (regression, classification):
        settings = override(experiment.PRESETS["smoke"], SIZES)
        run_dirs.append(FOLDER / settings.task)
        _remove_if_other(run_dirs[-1], settings)
        print(f"\n== {settings.task}: {settings.epochs} epochs of {settings.train_size} synthetic images ==")
        report = train_and_evaluate(settings, run_dirs[-1], resume=True)
        tables.append(f"## {settings.task}\n\n{evaluation.table(report)}\n")
    write_text(FOLDER / "table.md", "\n".join(tables))

    photograph = data.chelsea()
    images.write(FOLDER / "photograph.png", photograph)
    for run_dir in run_dirs:
        coloured = Colorizer.load(run_dir, working_size=64).colorize(photograph)
        images.write(FOLDER / f"photograph-{run_dir.name}.png", coloured)
    figures.write_all(run_dirs, FOLDER)

    print("\n".join(tables))
    print(
        "The photograph is coloured by networks that have only seen drawings: what is right in it is chance."
    )
    print(f"The pictures and the table are in {FOLDER.resolve()}")


def _remove_if_other(run_dir, settings):
    """Delete an earlier demo's run if this version of the demo would train another."""
    from dataclasses import replace

    from colorization import InputError, runs

    try:
        stored = runs.read_config(run_dir)
        if stored == replace(settings, precision=stored.precision):
            return
    except InputError:
        pass
    shutil.rmtree(run_dir, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run_command(main))
