"""Figure 7 as a Markdown table and as CSV, and the provenance of its runs."""

import csv
import io
import json
from typing import Any

from colorization.core.config import to_json
from colorization.runs import resolve, session
from colorization.runs.folder import RunFolder
from vgg_eval import columns


def markdown(report: dict[str, Any]) -> str:
    """The text of figure7.md.

    Args:
        report: the content of figure7.json.

    Returns:
        Markdown text.
    """
    judge, control = (report["results"][name] for name in ("judge", "control"))
    shown = columns.of_report(report)
    names = [column.name for column in shown]
    reported = {column.name: column.reported for column in shown}
    rows = [
        ("**accuracy, judge**", [f"**{judge[name]['accuracy']:.1%}**" for name in names]),
        *_uncertainty(judge, names),
        ("accuracy in the paper", [_share(reported[name]) for name in names]),
        (
            "ours minus the paper's",
            [_difference(judge[name]["accuracy"], reported[name]) for name in names],
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
                f"T = {report['temperature']:g}, chosen on the dev images (temperature.png).{_added(report)}",
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


def _difference(accuracy, reported):
    return "-" if reported is None else f"{100 * (accuracy - reported):+.1f}"


def _added(report):
    """A sentence for each added column with an annealed mean."""
    chosen = {name: t for name, t in report.get("added", {}).items() if t is not None}
    return "".join(f" The column {name} has T = {t:g}, chosen in the same way." for name, t in chosen.items())


def _share(value):
    return "-" if value is None else f"{value:.0%}"


def csv_text(report: dict[str, Any]) -> str:
    """The text of figure7.csv.

    Args:
        report: the content of figure7.json.

    Returns:
        CSV text.
    """
    text = io.StringIO()
    heads = ["judge", "method", "accuracy", "low", "high", "confidence", "p_grayscale", "p_before"]
    heads += ["gap_closed", "gap_low", "gap_high", "reported", *report["classes"]]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for judge, results in report["results"].items():
        for column in columns.of_report(report):
            values = results[column.name]
            gap = values["gap_interval"] or (None, None)
            writer.writerow(
                [judge, column.name, values["accuracy"], *values["interval"], values["confidence"]]
                + [values["p_grayscale"], values["p_before"], values["gap_closed"], *gap, column.reported]
                + values["per_class"]
            )
    return text.getvalue()


def provenance(run: RunFolder) -> dict[str, Any]:
    """The origin of a run.

    Args:
        run: a RunFolder.

    Returns:
        {"run", "settings", "train_images", "sessions", "tuned"}: name, settings, number of training images,
        and machine and time of each session.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    return {
        "run": run.name if resolve.is_shipped(run) else str(run),  # the path of a preset does not matter
        "settings": json.loads(to_json(run.config)),
        "train_images": len(run.splits().train),
        "sessions": run.sessions(),
        "tuned": run.tuned(),
    }


def _told(run):
    settings = run["settings"]
    told = (
        f"{settings['task']}, {session.own_epochs(run['sessions'])} epochs of {run['train_images']} images, "
    )
    told += f"{settings['image_size']} px, width {settings['width']:g}, seed {settings['seed']}"
    if settings.get("vgg_weights", "none") != "none":
        told += f", VGG16's blocks from {settings['vgg_weights']}"
    told += "".join(f", after {n} of {name}" for name, n in session.earlier_epochs(run["sessions"]).items())
    if run["tuned"].get("strength"):
        told += f", rebalanced after the training by {run['tuned']['strength']:g}"
    timed = [one for one in run["sessions"] if "seconds" in one]
    machines = " and ".join(dict.fromkeys(map(_machine, timed)))
    return told + (f"; {_time(sum(one['seconds'] for one in timed))} on {machines}" if timed else "")


def _time(seconds):
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds} seconds"


def _machine(environment):
    devices = ", ".join(environment["devices"])
    told = f"{environment['processor']}, {environment['cores']} cores, {devices}"
    return f"{told}, Keras on {environment['backend']}"
