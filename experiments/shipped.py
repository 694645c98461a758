"""Each shipped model from start to end, by one command.

    colorize prepare cifar10
    python experiments/shipped.py cifar10-classification
    python experiments/shipped.py photos --data FOLDER [FOLDER ...]

Runs the commands of `colorize` in RECIPES: train, tune, evaluate, presets make. Stop it at any time: the same
command continues. The preset is in runs/shipped/presets; --to colorization/presets replaces the shipped one.
--set changes a field of every training, e.g. for a quick trial:

    python experiments/shipped.py cifar10-judge --set data=synthetic --set train_size=100 --set epochs=1

Hours on 2 CPU cores, and scores on dev images: cifar10-judge 1 to 2.5, accuracy 90.0 %; cifar10-control the
same, 87.9 % on gray; cifar10-regression 1.3, raw AuC 91.30; cifar10-classification 0.8, 91.14;
cifar10-transfer 0.5 after the judge, on one core with AMX, 90.71. photos is for a GPU: 5 minutes of training
on an H200, 91.50.

The shipped models differ from their recipes. cifar10-regression and cifar10-classification started from the
weights of photos before the rebalancing, which differ in the last biases. photos had 44,000 more pictures, of
Tiny-ImageNet, in its first stage, and ended after 3 of 4 epochs (results/photographs). The recipes were not
rerun at full length in this form.
"""

import argparse
import shlex
import sys
from pathlib import Path

from colorization.cli import main as colorize
from colorization.cli.console import run_script

FOLDER = Path("runs/shipped")
PHOTOS = "--set rebalance=false --set width=0.5 --set crop_from=0"
FROM_PHOTOS = "--set init_from=photos --set width=0.5 --set epochs=4 --set learning_rate=3e-4 --set shift=2"

RECIPES = {
    "cifar10-judge": """
        train judge --run-dir {runs}/judge
        presets make {runs}/judge {name} --title "The judge of CIFAR-10's ten classes: VGG16 with batch
            normalization at half of the width, 32 pixels" --data "CIFAR-10, its 50,000 training images; no
            pretrained weights" --bad-at "anything but CIFAR-10's classes and size; it hardly needs color"
        """,
    "cifar10-control": """
        train judge --variant small-gray --run-dir {runs}/control
        presets make {runs}/control {name} --title "The control of the judge: the same network, trained on
            gray images" --data "CIFAR-10, its 50,000 training images, made gray; no pretrained weights"
            --bad-at "color images; anything but CIFAR-10's classes and size"
        """,
    "cifar10-regression": """
        train regression --run-dir {runs}/regression {from_photos}
        presets make {runs}/regression {name} --title "The regression of CIFAR-10 onto ab, from photographs,
            half of the width, 32 pixels" --data "photographs (the preset photos), then CIFAR-10, its 50,000
            training images" --bad-at "vivid colors: where several are possible it answers their mean;
            photographs larger than 32 pixels"
        """,
    "cifar10-classification": """
        train classification --run-dir {runs}/classification --set rebalance=false {from_photos}
        tune {runs}/classification --strengths 0.5 --temperatures 0.6 --images 8
            --apply {runs}/classification-tuned
        evaluate {runs}/classification-tuned
        presets make {runs}/classification-tuned {name} --onnx --title "The classification of CIFAR-10 over
            313 ab bins, from photographs, half of the width, 32 pixels" --data "photographs (the preset
            photos), then CIFAR-10, its 50,000 training images" --bad-at "vivid colors of single objects;
            photographs larger than 32 pixels"
        """,
    "cifar10-transfer": """
        train judge --run-dir {runs}/judge
        train transfer --vgg-weights {runs}/judge --run-dir {runs}/transfer --set rebalance=false
            --set epochs=8
        tune {runs}/transfer --strengths 0.5 --temperatures 0.6 --images 8 --apply {runs}/transfer-tuned
        evaluate {runs}/transfer-tuned
        presets make {runs}/transfer-tuned {name} --set vgg_weights=cifar10-judge --title "The
            classification of CIFAR-10 by transfer from the judge's first four blocks, a quarter of the width,
            32 pixels" --data "CIFAR-10, its 50,000 training images" --bad-at "vivid colors of single objects;
            it sees every picture at 32 pixels"
        """,
    "photos": """
        train photos --data {data} --run-dir {runs}/photos-64 {photos} --set image_size=64 --set epochs=8
            --set batch_size=256
        train photos --data {data} --run-dir {runs}/photos-112 {photos} --set image_size=112 --set epochs=4
            --set learning_rate=5e-4 --set init_from={runs}/photos-64
        tune {runs}/photos-112 --data {data} --sizes 144 --strengths 0.25 --temperatures 0.6 --images 8
            --apply {runs}/photos-tuned
        evaluate {runs}/photos-tuned
        presets make {runs}/photos-tuned {name} --onnx --title "A colorizer of photographs: classification
            over 313 ab bins, half of the width, working size 144" --data "photographs, 5 % held out by name"
            --bad-at "colors of single objects and clothes are guesses"
        """,
}
"""Preset -> the commands of `colorize` that make it; a line that is indented further continues a command."""


def main(argv=None):
    """Parse and run a recipe; returns the exit code of the first command that fails, or 0."""
    for words in commands(parsed(argv)):
        if is_done(words):
            continue
        print(f"\n== colorize {shlex.join(words)}", file=sys.stderr)
        if code := colorize.main(words):
            return code
    return 0


def parsed(argv=None):
    """The argparse.Namespace of a command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=RECIPES, metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--data", nargs="+", metavar="FOLDER", help="of photographs, for photos")
    parser.add_argument("--runs", type=Path, default=FOLDER, metavar="DIR", help=f"default: {FOLDER}")
    parser.add_argument("--to", type=Path, metavar="DIR", help="of the preset (default: RUNS/presets)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field")
    arguments = parser.parse_args(argv)
    if (arguments.name == "photos") != bool(arguments.data):
        parser.error("--data names the photographs of photos, and of no other model")
    return arguments


def commands(arguments):
    """The words of each command of a recipe."""
    text = (
        RECIPES[arguments.name]
        .replace("\n            ", " ")
        .replace("{photos}", PHOTOS)
        .replace("{from_photos}", FROM_PHOTOS)
    )
    places = {"runs": arguments.runs, "name": arguments.name}
    for line in filter(None, map(str.strip, text.splitlines())):
        words = []
        for word in shlex.split(line):
            words += arguments.data if word == "{data}" else [word.format(**places)]
        if words[0] == "train":
            words += [word for change in arguments.set for word in ("--set", change)] + ["--resume"]
            words += [] if "--variant" in words else ["--variant", "small"]
        if words[0] == "presets":
            words += ["--command", f"python experiments/shipped.py {arguments.name}"]
            words += ["--to", str(arguments.to or arguments.runs / "presets")]
        yield words


def is_done(words):
    """Whether a tuning has made its run. The other commands find out by themselves what is left to do."""
    return words[0] == "tune" and Path(words[words.index("--apply") + 1]).exists()


if __name__ == "__main__":
    run_script(main)
