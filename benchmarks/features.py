"""Frozen blocks run once: training the judge on stored features against running its blocks in each epoch.

    python benchmarks/features.py

Runs the same complete training in both ways: VGG16 at 224 pixels with its head, on synthetic images. The
weights are random, as their values do not change the time. "One epoch" trains one epoch on stored features,
which takes little more than computing them. The table shows the times, their ratios, and the largest
difference of the judges' logits.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from common import print_machine, print_table

from colorization import datasets
from colorization.core import config
from colorization.runs import RunFolder
from colorization.training import frozen_features
from vgg_eval import model, training
from vgg_eval.config import JudgeConfig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=130)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--head-width", type=int, default=4096)
    parser.add_argument("--stored-only", action="store_true", help="without the blocks in each epoch")
    options = parser.parse_args()
    sizes = [f"train_size={options.images}", "dev_size=20", "test_size=20", f"width={options.width}"]
    sizes += [f"head_width={options.head_width}", "data=synthetic", "vgg_weights=none"]
    settings = config.override(JudgeConfig(), sizes)

    with tempfile.TemporaryDirectory() as scratch:

        def seconds(name, epochs, cut):
            """Wall time of a training; each way keeps its features, if any, in a place of its own."""
            os.environ["COLORIZATION_DATA"] = str(Path(scratch) / f"data {name}")
            start = time.perf_counter()
            with mock.patch.object(frozen_features, "cut", cut):
                training.train_judge(config.override(settings, [f"epochs={epochs}"]), Path(scratch) / name)
            return time.perf_counter() - start

        one = seconds("one epoch", 1, frozen_features.cut)
        kept = seconds("kept", options.epochs, frozen_features.cut)
        rows = [
            ["stored features, 1 epoch", one, 1.0],
            [f"stored features, {options.epochs} epochs", kept, kept / one],
        ]
        if not options.stored_only:
            anew = seconds("anew", options.epochs, lambda model: None)
            rows.append([f"blocks run in each epoch, {options.epochs} epochs", anew, anew / one])
            rgb = datasets.load("synthetic", train_limit=1, test_limit=8).test.images
            judges = (model.load(RunFolder(Path(scratch) / name)) for name in ("kept", "anew"))
            logits = [judge.predict_on_batch(model.enlarged(rgb, settings.vgg_size)) for judge in judges]

    print_table(
        f"{options.epochs} epochs of {options.images} images at {settings.vgg_size} pixels",
        ["method", "seconds", "ratio to one epoch on stored features"],
        rows,
    )
    if not options.stored_only:
        print(f"\nblocks in each epoch over stored features: {anew / kept:.3g}")
        print(
            f"largest difference of logits: {np.abs(logits[0] - logits[1]).max():.2g}, "
            f"with logits up to {np.abs(logits[1]).max():.2g}"
        )
    print_machine()


if __name__ == "__main__":
    main()
