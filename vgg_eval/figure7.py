"""The report's Figures 7 and 8 made anew: every column judged, with its uncertainty."""

import csv
import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from colorization.runs import environment
from colorization.core import image_grid
from colorization.core import config, devices, image_files
from colorization import datasets
from colorization.runs import resolve, folder
from colorization.models import tasks
from colorization.core.errors import InputError
from colorization.core.atomic_io import write_text

from vgg_eval import model, significance, figures, judge, columns, temperatures
from vgg_eval.config import CONFIGS
from vgg_eval.columns import ANNEALED, GRAYSCALE, METHODS, TRUTH


class Runs(NamedTuple):
    """The run folders of an experiment.

    Attributes:
        colorizers: {task: run folder}.
        judge: run folder of the judge that is trained on colored images.
        control: of the one that is trained on gray ones.
    """

    colorizers: dict
    judge: Path
    control: Path


def figure7(used, folder, split="test"):
    """Judge every column; write figure7.md, .csv, .json and .png, confusion.png and temperature.png.

    Whatever part is in `folder` already, of the same runs and images, is not redone.

    Args:
        used: Runs.
        folder: where all goes.
        split: "test" or "dev"; the temperature comes from dev in either case.

    Returns:
        figure7.md as text.

    Raises:
        InputError: a run is not usable, or they do not belong together.
    """
    folder = Path(folder)
    parts = folder / "parts"
    judges = {"judge": judge.load(used.judge), "control": judge.load(used.control)}
    shown = shared_images(used, split)
    swept = swept_temperatures(used, judges["judge"], parts)
    temperature = temperatures.best(swept)
    said = {
        method.name: judge.judged(judges, method, used.colorizers, shown, temperature, parts)
        for method in METHODS
    }
    results = {
        role: compare({name: values[role] for name, values in said.items()}, shown.labels) for role in judges
    }
    report = {
        "data": shown.name,
        "split": split,
        "images": len(shown.rgb),
        "classes": judges["judge"].classes,
        "temperature": temperature,
        "temperatures": swept,
        "judge": model.describe(judges["judge"].settings),
        "control": model.describe(judges["control"].settings),
        "results": results,
        "runs": {role: _provenance(Path(run_dir)) for role, run_dir in _roles(used).items()},
        "device": environment.environment(),
    }
    text = markdown(report)
    write_text(folder / "figure7.json", json.dumps(report, indent=2) + "\n")
    write_text(folder / "figure7.csv", _csv(report))
    write_text(folder / "figure7.md", text)
    for name in ("figure7", "confusion", "temperature"):
        image_grid.save_figure(getattr(figures, name)(report), folder / f"{name}.png")
    return text


def figure8(used, folder, split="test", *, rows=None, columns=12, seed=0):
    """Write figure8.png: the report's Figure 8.

    Args:
        used: Runs.
        folder: where it goes; the temperature's sweep is found there or left there.
        split: "test" or "dev".
        rows: places of images in the split; None draws `columns` of them by `seed`.

    Returns:
        Its path.

    Raises:
        InputError: a run is not usable, they do not belong together, or there is no such image.
    """
    shown = shared_images(used, split)
    count = len(shown.labels)
    if rows is None:
        rows = np.sort(np.random.default_rng(seed).permutation(count)[:columns])
    if not len(rows) or min(rows) < 0 or max(rows) >= count:
        raise InputError(f"The {split} split has the images 0 to {count - 1}: name one or more of them.")
    folder, judge = Path(folder), judge.load(used.judge)
    temperature = temperatures.best(swept_temperatures(used, judge, folder / "parts"))
    drawn = _drawn(figures.figure8, used, judge, shown, rows, temperature)
    return image_grid.save_figure(drawn, folder / "figure8.png")


def failures(used, folder, split="test", *, count=5):
    """Write failures.png: the images of which color harms the judge's opinion most.

    The rule: the probability that the judge gives to the true class falls the most from the gray picture to
    the annealed mean's.

    Args:
        used: Runs.
        folder: where it goes; what figure7 left there is not redone.
        split: "test" or "dev".
        count: how many images.

    Returns:
        Its path.

    Raises:
        InputError: a run is not usable, or they do not belong together.
    """
    shown = shared_images(used, split)
    folder, judge = Path(folder), judge.load(used.judge)
    parts = folder / "parts"
    temperature = temperatures.best(swept_temperatures(used, judge, parts))
    gray, colored = (
        judge.judged({"judge": judge}, method, used.colorizers, shown, temperature, parts)["judge"]
        for method in (GRAYSCALE, ANNEALED)
    )
    fall = (gray - colored)[np.arange(len(shown.labels)), shown.labels]
    rows = np.argsort(-fall, kind="stable")[:count]
    drawn = _drawn(figures.failures, used, judge, shown, rows, temperature)
    return image_grid.save_figure(drawn, folder / "failures.png")


def _drawn(draw, used, judge, shown, rows, temperature):
    """The Figure that one of `figures` draws of some images by every method, and of what the judge says."""
    rgb, labels = shown.rgb[rows], shown.labels[rows]
    pictures = {
        method.name: columns.colorize(method, used.colorizers, rgb, temperature) for method in METHODS
    }
    said = {name: judge.probabilities(picture) for name, picture in pictures.items()}
    return draw(pictures, labels, judge.classes, said)


def shared_images(used, split):
    """judging.images of Runs."""
    return judge.images(list(used.colorizers.values()), [used.judge, used.control], split)


def swept_temperatures(used, judge, folder):
    """temperatures.sweep of Runs: of their classification, on their dev images."""
    return temperatures.sweep(judge, used.colorizers["classification"], shared_images(used, "dev"), folder)


def compare(probabilities, labels):
    """Every number of a judge's table.

    Args:
        probabilities: {method's name: (N, classes) float32}, from grayscale to ground truth.
        labels: (N,) int64.

    Returns:
        {method's name: {"accuracy", "interval", "confidence" (mean, in the true class), "p_grayscale" and
        "p_before" (McNemar's, against grayscale and the column before; None for the first), "gap_closed",
        "gap_interval", "per_class", "confusion"}}.
    """
    classes = next(iter(probabilities.values())).shape[1]
    chosen = {name: values.argmax(axis=1) for name, values in probabilities.items()}
    correct = {name: values == labels for name, values in chosen.items()}
    gray, truth, before, results = correct[GRAYSCALE.name], correct[TRUTH.name], None, {}
    for name, values in probabilities.items():
        matrix = significance.confusion(labels, chosen[name], classes)
        results[name] = {
            **significance.accuracy(correct[name]),
            "confidence": float(values[np.arange(len(labels)), labels].mean()),
            "p_grayscale": None if before is None else significance.mcnemar(correct[name], gray),
            "p_before": None if before is None else significance.mcnemar(correct[name], correct[before]),
            **significance.gap_closed(correct[name], gray, truth),
            "per_class": (matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)).tolist(),
            "confusion": matrix.tolist(),
        }
        before = name
    return results


def markdown(report):
    """figure7.md of what figure7.json holds."""
    judge, control = (report["results"][name] for name in ("judge", "control"))
    names = [method.name for method in METHODS]
    reported = {method.name: method.reported for method in METHODS}
    rows = [
        ("**accuracy, judge**", [f"**{judge[name]['accuracy']:.1%}**" for name in names]),
        *_uncertainty(judge, names),
        ("accuracy in the report", [f"{reported[name]:.0%}" for name in names]),
        (
            "ours minus the report's",
            [f"{100 * (judge[name]['accuracy'] - reported[name]):+.1f}" for name in names],
        ),
        ("**accuracy, control**", [f"**{control[name]['accuracy']:.1%}**" for name in names]),
        *_uncertainty(control, names),
    ]
    per_class = [
        (label, [f"{judge[name]['per_class'][i]:.1%}" for name in names])
        for i, label in enumerate(report["classes"])
    ]
    return (
        "\n\n".join(
            [
                f"# Figure 7: accuracy on {report['images']} {report['split']} images of {report['data']}",
                _table(names, rows),
                f"Judge: {report['judge']}. Control: {report['control']}.",
                "Intervals: 95 %, bootstrap over images. Confidence: mean probability of the true class. p: "
                "McNemar's exact test. Gap closed: (column - grayscale) / (ground truth - grayscale). "
                "Classification and transfer decode by the mode, annealed by the annealed mean at "
                f"T = {report['temperature']:g}, chosen on the dev images (temperature.png).",
                "## Accuracy by class, of the judge",
                _table(names, per_class),
                "confusion.png and figure7.json hold the confusion matrices.",
                "## What was used",
                "\n".join(f"- {role}: {_told(run)}" for role, run in report["runs"].items()),
                f"This table was made on {_machine(report['device'])}.",
            ]
        )
        + "\n"
    )


def _uncertainty(results, names):
    return [
        ("interval", [_interval(results[name]["interval"]) for name in names]),
        ("confidence", [f"{results[name]['confidence']:.1%}" for name in names]),
        ("p against grayscale", [_p(results[name]["p_grayscale"]) for name in names]),
        ("p against the column before", [_p(results[name]["p_before"]) for name in names]),
        ("gap closed", [_share(results[name]["gap_closed"]) for name in names]),
        ("its interval", [_interval(results[name]["gap_interval"]) for name in names]),
    ]


def _table(heads, rows):
    lines = [["", *heads], ["---", *["---:"] * len(heads)], *([name, *cells] for name, cells in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _interval(pair):
    return "-" if pair is None else f"{100 * pair[0]:.1f} to {100 * pair[1]:.1f}"


def _p(value):
    return "-" if value is None else f"{value:.2g}"


def _share(value):
    return "-" if value is None else f"{value:.0%}"


def _csv(report):
    text = io.StringIO()
    columns = ["judge", "method", "accuracy", "low", "high", "confidence", "p_grayscale", "p_before"]
    columns += ["gap_closed", "gap_low", "gap_high", "reported", *report["classes"]]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for judge, results in report["results"].items():
        for method in METHODS:
            values = results[method.name]
            gap = values["gap_interval"] or (None, None)
            writer.writerow(
                [judge, method.name, values["accuracy"], *values["interval"], values["confidence"]]
                + [values["p_grayscale"], values["p_before"], values["gap_closed"], *gap, method.reported]
                + values["per_class"]
            )
    return text.getvalue()


def _roles(used):
    return {"judge": used.judge, "control": used.control, **used.colorizers}


def _provenance(run_dir):
    """How a run came about: its settings and, of each start of its training, what it ran on and how long."""
    settings = folder.read_config(run_dir, {**tasks.CONFIGS, **CONFIGS})
    return {
        "run": run_dir.name if resolve.contains(run_dir) else str(run_dir),  # a preset has no place to tell
        "settings": json.loads(config.to_json(settings)),
        "train_images": len(datasets.Splits.load(run_dir / folder.SPLITS).train),
        "starts": folder.read_json(run_dir / folder.ENVIRONMENT).get("starts", []),
        "tuned": folder.read_tuned(run_dir),
    }


def _told(run):
    settings = run["settings"]
    told = f"{settings['task']}, {runs.own_epochs(run['starts'])} epochs of {run['train_images']} images, "
    told += f"{settings['image_size']} px, width {settings['width']:g}, seed {settings['seed']}"
    if settings.get("vgg_weights", "none") != "none":
        told += f", VGG16's blocks from {settings['vgg_weights']}"
    told += "".join(f", after {n} of {name}" for name, n in folder.earlier_epochs(run["starts"]).items())
    if run["tuned"].get("strength"):
        told += f", rebalanced after the training by {run['tuned']['strength']:g}"
    timed = [start for start in run["starts"] if "seconds" in start]
    machines = " and ".join(dict.fromkeys(map(_machine, timed)))
    return told + (f"; {_time(sum(start['seconds'] for start in timed))} on {machines}" if timed else "")


def _time(seconds):
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds} seconds"


def _machine(environment):
    devices = ", ".join(environment["devices"])
    told = f"{environment['processor']}, {environment['cores']} cores, {devices}"
    return f"{told}, Keras on {environment['backend']}"
