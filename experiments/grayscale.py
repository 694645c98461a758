"""Why the paper's judge is right on only 22 % of the gray images: their scale, and what the judge has seen.

    python experiments/grayscale.py runs/judge-small runs/judge-small-gray
    python experiments/grayscale.py runs/judge-small cifar10-judge -o grayscale

The original code stored the gray images on a scale of 0 to 1 and the colored ones on 0 to 255, and its judge
subtracts the same mean RGB from both. Each judge named sees its own test images: true and gray, each on both
scales; all of them, and the first 1,000, as many as the paper had. Writes grayscale.md and grayscale.json.
"""

import argparse
import json
import sys
from pathlib import Path

from colorization.cli.console import run_command, start_keras
from colorization.core.atomic_io import write_text
from colorization.runs.resolve import run_folder

REPORTED = 1000  # test images of the paper's judge (section 3.2)


def main(argv=None):
    """Parse and judge; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("judges", nargs="+", metavar="RUN", help="judges' run folders, or names of presets")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("runs/grayscale"),
        metavar="DIR",
        help="default: runs/grayscale",
    )
    return run_command(_write, parser.parse_args(argv))


def _write(arguments):
    folders = {name: run_folder(name) for name in arguments.judges}
    start_keras()
    report = {name: judged(folder) for name, folder in folders.items()}
    text = markdown(report)
    write_text(arguments.output / "grayscale.json", json.dumps(report, indent=2) + "\n")
    write_text(arguments.output / "grayscale.md", text)
    print(text)


def judged(run_dir):
    """{"judge": description, "images": count, "pictures": {kind: {"all" and "first": accuracy}}}."""
    from vgg_eval import columns, judge, model, significance

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


def markdown(report):
    """The report as a Markdown table."""
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


if __name__ == "__main__":
    sys.exit(main())
