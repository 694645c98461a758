"""Why the report's judge is right on only 22 % of the gray images: their scale, and what the judge has seen.

    python experiments/grayscale.py runs/vgg-small runs/vgg-small-gray
    python experiments/grayscale.py runs/vgg-small cifar10-judge -o grayscale

The original code stored the gray images on a scale of 0 to 1 and the colored ones on 0 to 255, and its judge
subtracts the same mean RGB from both. Each judge named sees its own test images: true and gray, each on both
scales; all of them, and the first 1,000, as many as the report had. Writes grayscale.md and grayscale.json.
"""

import argparse
import json
import sys
from pathlib import Path

from colorization.cli.console import run_command, start_keras

REPORTED = 1000  # test images of the report's judge (section 3.2)


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
    start_keras()
    from colorization.runs import resolve
    from colorization.core.atomic_io import write_text

    report = {name: judged(resolve.run_folder(name)) for name in arguments.judges}
    text = markdown(report)
    write_text(arguments.output / "grayscale.json", json.dumps(report, indent=2) + "\n")
    write_text(arguments.output / "grayscale.md", text)
    print(text)


def judged(run_dir):
    """{"judge": what it is, "images": count, "pictures": {kind: {"all", "first": accuracy and interval}}}."""
    from colorization.training import train
    from vgg_eval import model, significance, judge, columns

    judge = judge.load(run_dir)
    data = train.load_data(judge.settings)
    rows = train.read_splits(run_dir, data).test
    truth, labels = data.test.images[rows], data.test.labels[rows]
    gray = columns.gray(truth)
    pictures = {}
    for kind, shown in {
        "true, 0 to 255": truth,
        "gray, 0 to 255": gray,
        "true, 0 to 1": truth / 255,
        "gray, 0 to 1": gray / 255,
    }.items():
        correct = judge.probabilities(shown.astype("float32")).argmax(axis=1) == labels
        pictures[kind] = {
            "all": significance.accuracy(correct),
            "first": significance.accuracy(correct[:REPORTED]),
        }
    return {"judge": model.describe(judge.settings), "images": len(rows), "pictures": pictures}


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
