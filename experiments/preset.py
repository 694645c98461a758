"""A trained run -> a preset that comes with the package.

    python experiments/preset.py runs/photos-fine photos --title "..." --data "..." --bad-at "..." \
        --command "..." --onnx
    python experiments/preset.py runs/vgg-small cifar10-judge --title "..." --data "..." --bad-at "..." \
        --command "..."

Weights are rounded to float16 (those of one dimension are kept), the card tells data, settings, command and
metrics, and every file gets its checksum. --onnx adds the run as ONNX, by which `colorize image` is done in
about a second. --set changes what may differ from the training: working_size, temperature, and what
vgg_weights is called.
"""

import argparse
import csv
import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

from colorization.core import config
from colorization.runs import resolve
from colorization.cli.console import run_command, start_keras
from colorization.core.errors import InputError

FREE = {"working_size", "temperature", "vgg_weights"}  # what --set may change


def main(argv=None):
    """Parse and make the preset; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run folder")
    parser.add_argument("name", metavar="NAME", help="of the preset; one that is there is replaced")
    parser.add_argument("--title", required=True, help="what it is, in a line")
    parser.add_argument("--data", required=True, help="what it was trained on, in a line")
    parser.add_argument("--bad-at", required=True, help="what it does not do well, in a line or more")
    parser.add_argument("--command", required=True, help="the command that trained it")
    parser.add_argument("--onnx", action="store_true", help="add the run as ONNX")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field")
    parser.add_argument(
        "--to", type=Path, default=Path(resolve.__file__).parent, metavar="DIR", help="default: the package"
    )
    return run_command(make, parser.parse_args(argv))


def make(arguments):
    """Write the preset, whole or not at all."""
    start_keras()
    from colorization.export import writers
    from colorization.inference import runtimes
    from colorization.runs import folder, checkpoint_io
    from colorization.models import tasks
    from vgg_eval.config import CONFIGS

    run_dir, target = arguments.run, arguments.to / arguments.name
    settings = folder.read_config(run_dir, {**tasks.CONFIGS, **CONFIGS})
    changes = [f"data={runs.read_json(run_dir / runs.DATA)['name']}"]
    changes += [f"start={Path(settings.start).name}"]  # of a run its name, not its place
    if any(field.name == "vgg_weights" for field in dataclasses.fields(settings)):
        changes.append(f"vgg_weights={Path(settings.vgg_weights).name}")
    changed = {assignment.partition("=")[0].strip() for assignment in arguments.set}
    if fixed := sorted(changed - FREE):
        raise InputError(
            f"{fixed[0]} is what the run was trained with: --set takes {', '.join(sorted(FREE))}."
        )
    changes += arguments.set
    settings = config.override(settings, changes)
    with tempfile.TemporaryDirectory(prefix=".preset-", dir=arguments.to) as scratch:
        new = Path(scratch) / arguments.name
        new.mkdir()
        folder.write_config(new, settings)
        for name in (folder.DATA, folder.SPLITS, folder.STATISTICS, folder.ENVIRONMENT, folder.HISTORY, folder.TUNED):
            if (run_dir / name).exists():
                shutil.copyfile(run_dir / name, new / name)
        folder.write_metrics(new, _named_anew(folder.read_metrics(run_dir), settings))
        for name in (config.BEST, config.FROZEN):
            if (run_dir / name).exists():
                arrays, attributes = checkpoint_io.load(run_dir / name, "model")
                checkpoint_io.save(new / name, {"model": _halved(arrays)}, attributes)
        if arguments.onnx:
            writers.export(new, "onnx", new / runtimes.ONNX, half=True)
        (new / resolve.CARD).write_text(_card(arguments, new, settings), encoding="utf-8")
        (new / resolve.CHECKSUMS).write_text(resolve.checksums(new), encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "old")
        new.rename(target)
    print(target)


def _named_anew(metrics, settings):
    """metrics.json of a run whose temperature may be another now, what was measured at that one first."""
    from colorization.evaluation import evaluate

    named = {}
    for name, report in metrics.items():
        images = name.partition(" at T=")[0]
        named[evaluate.key(images, report["temperature"], settings) if "methods" in report else name] = (
            report
        )
    return dict(sorted(named.items(), key=lambda item: " at T=" in item[0]))


def _halved(arrays):
    """Kernels in float16; biases and the statistics of batch normalizations as they are."""
    halved = {name: array.astype("float16") if array.ndim > 1 else array for name, array in arrays.items()}
    import numpy as np

    if lost := [name for name, array in halved.items() if not np.isfinite(array).all()]:
        raise InputError(f"{lost[0]} holds values that float16 cannot hold.")
    return halved


def _card(arguments, folder, settings):
    from colorization.runs import folder

    metrics = folder.read_metrics(folder)
    with (folder / folder.HISTORY).open(newline="") as file:
        history = list(csv.DictReader(file))
    best = min(history, key=lambda row: float(row["val_loss"]))
    starts = folder.read_json(folder / folder.ENVIRONMENT)["starts"]
    after = "".join(f" after {epochs} of {name}" for name, epochs in folder.earlier_epochs(starts).items())
    seconds = sum(start.get("seconds", 0) for start in starts)
    strength = folder.read_tuned(folder).get("strength")
    tuned = [f"- Rebalanced after the training by {strength:g} (experiments/tune.py)"] if strength else []
    return "\n".join(
        [
            f"# {arguments.title}",
            "",
            f"- Data: {arguments.data}",
            f"- Command: `{arguments.command}`",
            f"- Training: {len(history)} epochs{after}, {seconds / 60:.0f} minutes; best dev loss "
            f"{float(best['val_loss']):.4g} after epoch {best['epoch']}",
            *tuned,
            f"- Bad at: {arguments.bad_at}",
            "- License: as the package; the training images are their owners'",
            "",
            *_tables(metrics),
            "## Settings",
            "",
            "```json",
            json.dumps(json.loads(config.to_json(settings)), indent=1),
            "```",
            "",
        ]
    )


def _tables(metrics):
    """Every evaluation in metrics.json: a colorizer's as evaluation.table, a judge's as a line."""
    from colorization.evaluation import evaluate

    for split, report in metrics.items():
        yield from (f"## Measured: {split}", "")
        if "methods" in report:
            yield evaluate.table(report)
        else:
            yield "Accuracy: " + ", ".join(f"{name} {report[name]:.1%}" for name in ("truth", "gray"))
        yield ""


if __name__ == "__main__":
    sys.exit(main())
