"""Make a preset from a trained run: rounded weights, a model card, checksums."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from colorization.core.atomic_io import replace_folder, scratch_folder
from colorization.core.config import VggConfig, override, to_json
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.evaluation import evaluator
from colorization.export.writers import export_network
from colorization.models import tasks
from colorization.runs import resolve, session
from colorization.runs.copying import copy_run
from colorization.runs.folder import RunFolder
from colorization.runs.history import best_row

_CHANGEABLE = {"working_size", "temperature", "vgg_weights"}  # fields that may differ from the training


class Card(NamedTuple):
    """The texts of a model card.

    Attributes:
        title: a description of the preset, in one line.
        data: a description of its training data, in one line.
        bad_at: its weaknesses.
        command: the command that trained it.
    """

    title: str
    data: str
    bad_at: str
    command: str


def make_preset(
    run_dir: StrPath, path: StrPath, card: Card, *, changes: Sequence[str] = (), onnx: bool = False
) -> None:
    """Write a preset. An older one at its path is replaced. An interrupted call changes nothing.

    Weights are rounded to float16, except for those with one dimension.

    Args:
        run_dir: path of the finished run folder of a colorizer or a judge.
        path: path of the preset. Its parent folder must exist.
        card: a Card.
        changes: "key=value" for fields that may differ from the training: working_size, temperature, and the
            name of vgg_weights.
        onnx: whether the preset also contains the run as ONNX.

    Raises:
        InputError: the run is not usable, a field must not change, or a weight is outside the range of
            float16.
    """
    run, path = RunFolder(run_dir), Path(path)
    config = _config(run, changes)
    with scratch_folder(path.parent) as scratch:
        new = copy_run(run, scratch / path.name, config, _halved)
        new.write_metrics(_renamed_evaluations(run.metrics(), config))
        if onnx:
            export_network(new.path, half=True)
        new.card_path.write_text(_card_text(card, new), encoding="utf-8")
        new.checksums_path.write_text(resolve.checksums(new.path), encoding="utf-8")
        replace_folder(path, new.path)


def _config(run, changes):
    """The run's Config with the changes, and with names instead of paths."""
    changed = {assignment.partition("=")[0].strip() for assignment in changes}
    if fixed := sorted(changed - _CHANGEABLE):
        raise InputError(
            f"{fixed[0]} cannot change after the training. --set accepts {', '.join(sorted(_CHANGEABLE))}."
        )
    names = [f"data={run.data_identity()['name']}", f"init_from={Path(run.config.init_from).name}"]
    if isinstance(run.config, VggConfig):
        names.append(f"vgg_weights={Path(run.config.vgg_weights).name}")
    return override(run.config, [*names, *changes])


def _renamed_evaluations(metrics, config):
    """The metrics of a run whose temperature may have changed. Those at the new temperature come first."""
    named = {}
    for name, report in metrics.items():
        if "methods" in report:  # of a colorizer
            images = name.partition(" at T=")[0]
            name = evaluator.key(images, report["temperature"], tasks.of(config).temperature(config))
        named[name] = report
    return dict(sorted(named.items(), key=lambda item: " at T=" in item[0]))


def _halved(arrays):
    """Kernels in float16; biases and the statistics of batch normalizations as they are."""
    with np.errstate(over="ignore"):  # refused below
        halved = {
            name: array.astype("float16") if array.ndim > 1 else array for name, array in arrays.items()
        }
    if lost := [name for name, array in halved.items() if not np.isfinite(array).all()]:
        raise InputError(f"{lost[0]} contains values outside the range of float16.")
    return halved


def _card_text(card, run):
    """The model card of a preset's RunFolder, in Markdown."""
    history, sessions = run.history(), run.sessions()
    best = best_row(history, run.config.best_by)
    predicting = "; the last epoch predicts" if run.config.predict_by == "last" else ""
    after = "".join(f" after {epochs} of {name}" for name, epochs in session.earlier_epochs(sessions).items())
    seconds = sum(each.get("seconds", 0) for each in sessions)
    strength = run.tuned().get("strength")
    tuned = [f"- Rebalanced after the training by {strength:g} (`colorize tune`)"] if strength else []
    return "\n".join(
        [
            f"# {card.title}",
            "",
            f"- Data: {card.data}",
            f"- Command: `{card.command}`",
            f"- Training: {len(history)} epochs{after}, {seconds / 60:.0f} minutes; best dev loss "
            f"{best['val_loss']:.4g} after epoch {best['epoch']:.0f}{predicting}",
            *tuned,
            f"- Bad at: {card.bad_at}",
            "- License: as the package; the training images are their owners'",
            "",
            *_tables(run.metrics()),
            "## Settings",
            "",
            "```json",
            json.dumps(json.loads(to_json(run.config)), indent=1),
            "```",
            "",
        ]
    )


def _tables(metrics):
    """Every evaluation: a colorizer's as evaluator.table, a judge's as a line."""
    for name, report in metrics.items():
        yield from (f"## Measured: {name}", "")
        if "methods" in report:
            yield evaluator.table(report)
        else:
            yield "Accuracy: " + ", ".join(f"{row} {report[row]:.1%}" for row in ("truth", "gray"))
        yield ""
