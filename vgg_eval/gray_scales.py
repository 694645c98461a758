"""A judge on gray and true images, on a scale of 0 to 255 and of 0 to 1."""

from typing import Any

from colorization.core.typing import StrPath
from vgg_eval import columns, judge, model, significance

REPORTED = 1000
"""Test images of the paper's judge (section 3.2)."""


def measure(run_dir: StrPath) -> dict[str, Any]:
    """The accuracy of a judge on its own test images, of all and of the first REPORTED.

    Args:
        run_dir: the judge's run folder.

    Returns:
        {"judge": description, "images": count, "pictures": {kind: {"all" and "first": accuracy}}}.

    Raises:
        InputError: the run or its data are not usable.
    """
    asked = judge.load(run_dir)
    test, _ = asked.run.images("test")
    truth, gray = test.images, columns.gray(test.images)
    pictures = {}
    for kind, shown in {
        "true, 0 to 255": truth,
        "gray, 0 to 255": gray,
        "true, 0 to 1": truth / 255,
        "gray, 0 to 1": gray / 255,
    }.items():
        correct = asked.probabilities(shown.astype("float32")).argmax(axis=1) == test.labels
        pictures[kind] = {
            "all": significance.accuracy(correct),
            "first": significance.accuracy(correct[:REPORTED]),
        }
    return {"judge": model.describe(asked.run.config), "images": len(test), "pictures": pictures}


def markdown(report: dict[str, dict[str, Any]]) -> str:
    """A table of measurements.

    Args:
        report: {name of a judge: result of measure}.

    Returns:
        Markdown text.
    """
    lines = [f"| judge | pictures | accuracy | interval | of the first {REPORTED} | interval |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, values in report.items():
        for kind, found in values["pictures"].items():
            cells = [
                f"{part['accuracy']:.1%} | {100 * part['interval'][0]:.1f} to {100 * part['interval'][1]:.1f}"
                for part in (found["all"], found["first"])
            ]
            lines.append(f"| {name} | {kind} | {' | '.join(cells)} |")
    told = [f"{name}: {values['judge']}; {values['images']} test images." for name, values in report.items()]
    return "\n".join([*lines, "", *told, "Intervals: 95 %, bootstrap over images."]) + "\n"
