"""The main job from end to end, on data that need no download: train, evaluate, judge, colorize, draw.

    make demo

Trains the colorizers and the two judges at smoke size on the synthetic set, measures every decoding, makes
the report's Figures 7 and 8, colors a real photograph, and draws the pictures: about three minutes on 2 CPU
cores. A second call finds the trained runs.
"""

import dataclasses
import shutil
import sys
from pathlib import Path

from figure7 import PRESETS

from colorization.core import config
from colorization.cli.console import run_command, start_keras
from vgg_eval import plan

FOLDER = Path("runs/demo")
SIZES = ["train_size=2000", "dev_size=200", "test_size=200"]
EPOCHS = {"regression": 8, "classification": 8, "transfer": 5}


def main():
    """Train all, then draw, judge and color what they learned."""
    start_keras()
    from skimage import data

    from colorization import Colorizer
    from colorization.evaluation import evaluate, figures
    from colorization.core import image_files
    from colorization.runs import resolve
    from colorization.models import tasks
    from colorization.core.atomic_io import write_text
    from vgg_eval import figure7

    planned = {role: (_settings(role), FOLDER / role) for role in plan.ROLES}
    for settings, run_dir in planned.values():
        _remove_if_other(run_dir, settings)
    if not planned["judge"][1].exists():
        shutil.rmtree(planned["transfer"][1], ignore_errors=True)  # it stands on the judge's blocks
    used = plan.run(planned)
    run_dirs = list(used.colorizers.values())
    tables = [
        f"## {run_dir.name}\n\n{evaluation.table(evaluation.evaluate(run_dir))}\n" for run_dir in run_dirs
    ]
    write_text(FOLDER / "table.md", "\n".join(tables))
    figures.write_all(run_dirs, FOLDER)
    figure7 = figure7.figure7(used, FOLDER)
    figure7.figure8(used, FOLDER)

    photograph = data.chelsea()
    image_files.write(FOLDER / "photograph.png", photograph)
    shipped = [preset.folder for preset in resolve.all_presets() if preset.task in tasks.TASKS]
    for run_dir in [*run_dirs, *shipped]:
        image_files.write(FOLDER / f"photograph-{run_dir.name}.png", Colorizer.load(run_dir).colorize(photograph))

    print("\n".join(tables))
    print(figure7)
    print(
        "photograph-NAME.png: those of the three networks above, which have only seen drawings, are right by "
        f"chance; {', '.join(run_dir.name for run_dir in shipped)} come with the package."
    )
    print(f"The pictures and the tables are in {FOLDER.resolve()}")


def _settings(role):
    changes = [f"epochs={EPOCHS[role]}"] if role in EPOCHS else []
    changes += [f"vgg_weights={FOLDER / 'judge'}"] if role == "transfer" else []
    return config.override(PRESETS[role]["smoke"], SIZES + changes)


def _remove_if_other(run_dir, settings):
    """Delete an earlier demo's run if this version of the demo would train another."""
    from colorization import InputError

    try:
        stored = config.read(run_dir / config.FILE, {settings.task: type(settings)})
        if stored == dataclasses.replace(settings, precision=stored.precision):
            return
    except InputError:
        pass
    shutil.rmtree(run_dir, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run_command(main))
