"""The complete workflow on data that need no download: train, evaluate, judge, color, draw.

    make demo

Trains the colorizers and the two judges at smoke size on the synthetic set, measures every decoding, makes
the paper's Figures 7 and 8, colors a real photograph, and draws the pictures: about three minutes on 2 CPU
cores. A second call finds the trained runs.
"""

import argparse
import dataclasses
import shutil
from pathlib import Path

from colorization import InputError
from colorization.cli.console import run_command, run_script, start_keras
from colorization.core import config
from colorization.core.atomic_io import write_text
from colorization.runs import resolve
from colorization.runs.folder import RunFolder
from vgg_eval.options import ROLES
from vgg_eval.variants import FIGURES

FOLDER = Path("runs/demo")
SIZES = ["train_size=2000", "dev_size=200", "test_size=200"]
EPOCHS = {"regression": 8, "classification": 8, "transfer": 5}


def main(argv=None):
    """Parse and run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(argv)
    return run_command(demonstrate)


def demonstrate():
    """Train all, then draw, judge and color."""
    start_keras()
    from colorization.evaluation import evaluator, figures
    from vgg_eval import chain, figure7

    planned = {role: (_config(role), FOLDER / role) for role in ROLES}
    for settings, run_dir in planned.values():
        _remove_if_other(run_dir, settings)
    if not planned["judge"][1].exists():
        shutil.rmtree(planned["transfer"][1], ignore_errors=True)  # it needs the blocks of the judge
    used = chain.run(planned)
    runs = list(used.colorizers.values())
    tables = "\n".join(f"## {run.name}\n\n{evaluator.table(evaluator.evaluate(run.path))}\n" for run in runs)
    write_text(FOLDER / "table.md", tables)
    figures.write_all([run.path for run in runs], FOLDER)
    text = figure7.figure7(used, FOLDER)
    figure7.figure8(used, FOLDER)
    shipped = _color_photograph(runs)
    print(f"{tables}\n{text}")
    print(
        "photograph-NAME.png: the three networks above have only seen drawings and are right by chance; "
        f"{', '.join(shipped)} come with the package."
    )
    print(f"The pictures and the tables are in {FOLDER.resolve()}")


def _color_photograph(runs):
    """Color a photograph by the demo's runs and all shipped colorizers; returns the names of the latter."""
    from skimage import data

    from colorization.core import image_files
    from colorization.inference.colorizer import Colorizer
    from colorization.models import tasks

    photograph = data.chelsea()
    image_files.write(FOLDER / "photograph.png", photograph)
    shipped = [RunFolder(preset.folder) for preset in resolve.all_presets() if preset.task in tasks.TASKS]
    for run in [*runs, *shipped]:
        colored = Colorizer.load(run.path).colorize(photograph)
        image_files.write(FOLDER / f"photograph-{run.name}.png", colored)
    return [run.name for run in shipped]


def _config(role):
    changes = [f"epochs={EPOCHS[role]}"] if role in EPOCHS else []
    changes += [f"vgg_weights={FOLDER / 'judge'}"] if role == "transfer" else []
    return config.override(FIGURES[role]["smoke"], SIZES + changes)


def _remove_if_other(run_dir, settings):
    """Delete an earlier demo's run if this version of the demo would train another."""
    try:
        stored = RunFolder(run_dir).config
        if stored == dataclasses.replace(settings, precision=stored.precision):
            return
    except InputError:
        pass
    shutil.rmtree(run_dir, ignore_errors=True)


if __name__ == "__main__":
    run_script(main)
