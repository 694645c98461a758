"""Write the tables of RESULTS.md from the files in results/ and in the presets.

    python results/make_tables.py

A table stands between two comments, `<!-- NAME -->` and `<!-- end -->`. A test compares them with the files.
"""

import argparse
import functools
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from colorization.core.atomic_io import write_text
from colorization.runs import resolve, session
from colorization.runs.files import METRICS
from colorization.runs.folder import RunFolder
from colorization.runs.history import best_row, read_history
from colorization.runs.old_names import renamed_metrics
from vgg_eval import columns
from vgg_eval.config import JudgeConfig

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "RESULTS.md"

RUNS = {
    name: f"python experiments/shipped.py {name}"
    for name in (
        "cifar10-judge",
        "cifar10-control",
        "cifar10-regression",
        "cifar10-classification",
        "cifar10-transfer",
    )
} | {"photos": "python experiments/shipped.py photos --data FOLDER ..."}
"""Preset -> its recipe; the recipe tells how the history of a preset differs."""

STAGED = {
    "photos",
    "cifar10-regression",
    "cifar10-classification",
}  # the run does not know how many photographs each stage had

TRUTH_AND_GRAY = ("gray", "mean color", "truth")
COLUMNS = {
    "ab_rmse": "ab RMSE ↓",
    "auc": "raw AuC ↑",
    "rebalanced_auc": "rebalanced AuC ↑",
    "psnr": "PSNR ↑",
    "colorfulness": "colorfulness",
}
CIFAR10 = HERE / "cifar10"
PHOTOGRAPHS = HERE / "cifar10-from-photographs"
COLOR = (
    ("gray", CIFAR10 / "regression-metrics.json", "gray"),
    ("mean color", CIFAR10 / "regression-metrics.json", "mean color"),
    ("regression", CIFAR10 / "regression-metrics.json", "regression"),
    ("classification, annealed", CIFAR10 / "classification-metrics.json", "annealed"),
    ("classification, mode", CIFAR10 / "classification-metrics.json", "mode"),
    ("classification, rebalanced by 0.5", CIFAR10 / "classification-half-metrics.json", "annealed"),
    ("transfer, annealed", CIFAR10 / "transfer-metrics.json", "annealed"),
    ("transfer, mode", CIFAR10 / "transfer-metrics.json", "mode"),
    ("transfer, rebalanced by 0.5", resolve.PRESETS / "cifar10-transfer" / METRICS, "annealed"),
    ("regression from photographs", resolve.PRESETS / "cifar10-regression" / METRICS, "regression"),
    ("classification from photographs", PHOTOGRAPHS / METRICS, "annealed"),
    ("the same, rebalanced by 0.5", resolve.PRESETS / "cifar10-classification" / METRICS, "annealed"),
    ("the same, by 0.75", PHOTOGRAPHS / "rebalanced-metrics.json", "annealed"),
    ("truth", CIFAR10 / "regression-metrics.json", "truth"),
)
"""Row of the table of colors, file of metrics, row of this file."""

SEEDS = HERE / "cifar10-seeds"
FROM_PHOTOGRAPHS = (
    (PHOTOGRAPHS / METRICS, PHOTOGRAPHS, "from photographs"),
    (PHOTOGRAPHS / "seed-1-metrics.json", PHOTOGRAPHS, "seed 1"),
    (PHOTOGRAPHS / "seed-2-metrics.json", PHOTOGRAPHS, "seed 2"),
)
FROM_SCRATCH = (
    (CIFAR10 / "classification-metrics.json", CIFAR10, "annealed"),
    (SEEDS / "seed-1" / METRICS, SEEDS / "seed-1", "annealed"),
    (SEEDS / "seed-2" / METRICS, SEEDS / "seed-2", "annealed"),
)
"""Seed of one training -> its metrics, the folder of a Figure 7, and its column there."""

REGULARIZATION = {
    "flips": "plain",
    "flips and shifts by up to 2 pixels": "shift",
    "flips and weight decay 0.05": "decay",
    "flips and dropout 0.1": "dropout",
    "flips and shifts at width 0.5": "wide",
}
"""Row of the table of regularization, and the beginning of its files in cifar10-regularization."""


def main() -> int:
    """Fill in all tables of RESULTS.md."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    write_text(RESULTS, filled(RESULTS.read_text(encoding="utf-8")))
    return 0


def filled(text: str) -> str:
    """The text of RESULTS.md with every table made anew."""
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"RESULTS.md must have the table {name} exactly once")
        table = make()
        text = pattern.sub(lambda found, table=table: f"{found[1]}\n{table}\n\n{found[2]}", text)
    return text


def runs_table() -> str:
    """Name, steps, time, score and command of each shipped model."""
    rows = [["run", "steps", "minutes", "score on held-out images", "command"]]
    for name, command in RUNS.items():
        run = RunFolder(resolve.PRESETS / name)
        sessions = run.sessions()
        epochs = session.own_epochs(sessions) + sum(session.earlier_epochs(sessions).values())
        steps = epochs * -(-len(run.splits().train) // run.config.batch_size)
        minutes = sum(one.get("seconds", 0) for one in sessions) / 60
        shown = "-" if name in STAGED else f"{steps:,}"
        rows.append([name, shown, f"{minutes:.0f}", _score(run), f"`{command}`"])
    return _table(rows)


def _score(run: RunFolder) -> str:
    report = next(iter(run.metrics().values()))
    if "methods" not in report:
        name = "gray" if run.expect(JudgeConfig).config.gray else "truth"
        return f"accuracy {report[name]:.1%}" + (" on gray" if name == "gray" else "")
    values = next(values for name, values in report["methods"].items() if name not in TRUTH_AND_GRAY)
    return f"raw AuC {values['auc']:.2f}, colorfulness {values['colorfulness']:.1f}"


def color_table() -> str:
    """Metrics of the CIFAR-10 colorizers on 5,000 dev images."""
    rows = [["", *COLUMNS.values()]]
    for shown, path, method in COLOR:
        report = renamed_metrics(json.loads(path.read_text(encoding="utf-8")))
        rows.append([shown, *_values(report["dev"]["methods"][method])])
    return _table(rows)


def _values(values: dict[str, float | None]) -> list[str]:
    return ["-" if values[key] is None else f"{values[key]:.2f}" for key in COLUMNS]


def figure7_table(folder: Path) -> str:
    """Accuracy of a judge and its control on 5,000 test images, beside those of the paper."""
    report = _figure7(folder)
    shown = columns.of_report(report)
    rows = [["", *(column.name for column in shown)]]
    for role, results in report["results"].items():
        rows.append([role, *(f"{results[column.name]['accuracy']:.1%}" for column in shown)])
    paper = ["-" if column.reported is None else f"{column.reported:.0%}" for column in shown]
    return _table([*rows, ["the paper", *paper]])


def seeds_table(trainings: Sequence[tuple[Path, Path, str]]) -> str:
    """Trainings that differ in their seed only, beside the bootstrap over the test images."""
    values = []
    for metrics, folder, column in trainings:
        method = json.loads(metrics.read_text(encoding="utf-8"))["dev"]["methods"]["annealed"]
        judged = [100 * found[column]["accuracy"] for found in _figure7(folder)["results"].values()]
        values.append([method["ab_rmse"], method["auc"], method["colorfulness"], *judged])
    rows = [["", "ab RMSE ↓", "raw AuC ↑", "colorfulness", "judge, %", "control, %"]]
    rows += [[f"seed {seed}", *(f"{value:.2f}" for value in found)] for seed, found in enumerate(values)]
    rows.append(
        ["greatest difference", *(f"{max(each) - min(each):.2f}" for each in zip(*values, strict=True))]
    )
    _, folder, column = trainings[0]
    intervals = [found[column]["interval"] for found in _figure7(folder)["results"].values()]
    widths = [f"{100 * (high - low):.2f}" for low, high in intervals]
    return _table([*rows, ["width of the bootstrap interval", "-", "-", "-", *widths]])


def _figure7(folder: Path) -> dict:
    return json.loads((folder / "figure7.json").read_text(encoding="utf-8"))


def regularization_table() -> str:
    """Losses and scores of trainings from scratch that differ in their regularization only."""
    rows = [["", "training loss", "dev loss", "raw AuC ↑", "colorfulness"]]
    for shown, name in REGULARIZATION.items():
        best = best_row(read_history(HERE / "cifar10-regularization" / f"{name}-history.csv"), "loss")
        path = HERE / "cifar10-regularization" / f"{name}-metrics.json"
        method = json.loads(path.read_text(encoding="utf-8"))["dev"]["methods"]["annealed"]
        losses = [f"{best[key]:.1f}" for key in ("loss", "val_loss")]
        rows.append([shown, *losses, f"{method['auc']:.2f}", f"{method['colorfulness']:.2f}"])
    return _table(rows)


def photographs_table() -> str:
    """Metrics of the preset photos on photographs that no training saw."""
    rows = [["", *COLUMNS.values()]]
    run = RunFolder(resolve.PRESETS / "photos")
    methods = next(iter(run.metrics().values()))["methods"]
    rows += [[name, *_values(methods[name])] for name in ("gray", "mean color", "annealed", "truth")]
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


TABLES = {
    "runs": runs_table,
    "color": color_table,
    "figure7": functools.partial(figure7_table, CIFAR10),
    "figure7-frozen": functools.partial(figure7_table, HERE / "cifar10-frozen-judge"),
    "seeds-scratch": functools.partial(seeds_table, FROM_SCRATCH),
    "seeds-photographs": functools.partial(seeds_table, FROM_PHOTOGRAPHS),
    "regularization": regularization_table,
    "photographs": photographs_table,
}

if __name__ == "__main__":
    sys.exit(main())
