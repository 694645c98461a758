"""How to decode a trained classification: working size, rebalancing and temperature, measured on dev images.

    python experiments/tune.py runs/classification-small
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 32,64,96,128
    python experiments/tune.py runs/photos-fine --data FOLDER --sizes 64 --apply runs/photos

Rebalancing after training: a network that is trained with the loss weighted by w(q) learns, in the limit,
probabilities proportional to w(q) p(q | x) (w as in Zhang et al., section 2.2); the same is had from one that
was not, by adding log w(q) to its logits. So one training gives every strength between 0 (none) and 1 (that
of the weights), and beyond. --apply makes a run with the chosen settings: the shift goes into the last
layer's bias, the working size and the temperature into the config.

Writes tune.csv and tune.png, and prints the combination of the highest raw AuC among those whose
colorfulness is within 15 % of the truth's, or else the nearest to it.
"""

import argparse
import csv
import dataclasses
import io
import itertools
import json
import math
import shutil
import sys
from pathlib import Path

from colorization.core import image_grid
from colorization.cli.console import run_command, start_keras, whole_number
from colorization.core.errors import InputError

WITHIN = 0.15  # of the truth's colorfulness
MIX = 0.5  # lambda of the weights that a strength of 1 stands for (Zhang et al., Eq. 4)
TWINS = 0.01  # share of photographs that folders may hold twice
BATCH = 2**16  # pixels decoded at once, where each has 313 logits


def numbers(kind, least):
    """For argparse: a list of numbers, none below `least`."""

    def parse(text):
        values = [kind(part) for part in text.split(",")]
        if not all(least <= value < math.inf for value in values):
            raise argparse.ArgumentTypeError(f"{text}: numbers of at least {least}, please")
        return values

    return parse


def main(argv=None):
    """Parse and measure; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="a classification's run folder, or a preset's name")
    parser.add_argument(
        "--data", nargs="+", metavar="FOLDER", help="photographs (default: the run's own data)"
    )
    parser.add_argument(
        "--sizes", type=numbers(int, 8), metavar="N,...", help="default: the run's image size"
    )
    parser.add_argument(
        "--strengths",
        type=numbers(float, -10),
        default=[0, 0.25, 0.5, 0.75, 1],
        metavar="X,...",
        help="of the rebalancing (default: 0,0.25,0.5,0.75,1)",
    )
    parser.add_argument(
        "--temperatures",
        type=numbers(float, 0),
        default=[0.1, 0.2, 0.38, 0.6, 0.89],
        metavar="T,...",
        help="default: 0.1,0.2,0.38,0.6,0.89",
    )
    parser.add_argument(
        "--images", type=whole_number, default=500, help="at most so many dev images (default: 500)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="default: RUN/tune")
    parser.add_argument(
        "--apply", type=Path, metavar="DIR", help="make a run with the settings that are chosen"
    )
    return run_command(tune, parser.parse_args(argv))


def tune(arguments):
    """Measure every combination, choose one, write."""
    start_keras()
    from colorization.core import image_files, color_prior
    from colorization.inference import graph
    from colorization.runs import resolve, folder
    from colorization.models import tasks
    from colorization.core.atomic_io import write_text

    run_dir = resolve.run_folder(arguments.run)
    settings, model = folder.load_model(run_dir)
    if not tasks.takes_temperature(tasks.of(settings)):
        raise InputError(f"{run_dir} is a {settings.task}: it has no distribution to decode.")
    if arguments.sizes and graph.fixed_size(model):
        raise InputError(f"{run_dir} predicts at one size only: leave --sizes out.")
    sizes = arguments.sizes or [settings.image_size]
    if not arguments.images:
        raise InputError("--images is at least 1.")
    if max(sizes) > settings.image_size and not arguments.data:
        raise InputError(
            f"The images of {run_dir} have {settings.image_size} pixels: name larger ones by --data."
        )
    if resolve.contains(run_dir) and not arguments.output:
        raise InputError(f"{run_dir} is a preset, which stays as it is: name a folder by -o.")
    if arguments.apply and arguments.apply.exists():
        raise InputError(f"{arguments.apply} is there already: give another folder.")
    colors = color_prior.Statistics.load(run_dir / folder.STATISTICS)
    rgb = _dev_images(run_dir, settings, arguments, max(sizes))
    rows, truth = measure(model, colors.bin_counts, rgb, sizes, arguments.strengths, arguments.temperatures)
    output = arguments.output or run_dir / "tune"
    write_text(output / "tune.csv", _csv(rows))
    image_grid.save_figure(picture(rows, truth), output / "tune.png")
    chosen = choose(rows, truth)
    print(f"{len(rgb)} dev images, colorfulness {truth:.1f}; all combinations are in {output}")
    print("chosen: " + ", ".join(f"{name} {value:.4g}" for name, value in chosen.items()))
    if arguments.apply:
        apply(run_dir, settings, colors.bin_counts, chosen, arguments.apply)
        print(arguments.apply)


def _dev_images(run_dir, settings, arguments, side):
    from colorization.runs import resolve
    from colorization.training import train

    if not arguments.data:
        data = train.load_data(settings)
        rows = train.read_splits(run_dir, data).dev
    else:
        if not resolve.contains(run_dir):  # whose data are not at hand
            _refuse_known(run_dir, settings, arguments.data)
        data, rows = _held_out(settings, arguments.data, side)
    return data.test.images[rows[: arguments.images]]


def _held_out(settings, folders, side):
    """(Dataset, rows of its dev images) of folders of photographs."""
    from colorization import datasets

    data = datasets.load(datasets.photos.prepare(folders, side), image_size=side)
    return data, datasets.split(data, seed=settings.split_seed).dev


def _refuse_known(run_dir, settings, folders):
    """Raise InputError if a run has learned from what of the folders is held out: names decide what is."""
    from colorization.training import train

    side = settings.crop_from or settings.image_size
    data, rows = _held_out(settings, folders, side)
    learned = train.read_splits(run_dir, train.load_data(settings)).train
    known = {hash(image.tobytes()) for image in train.load_data(settings, side=side).train.images[learned]}
    share = sum(hash(image.tobytes()) in known for image in data.test.images[rows]) / len(rows)
    if share > TWINS:
        raise InputError(
            f"{run_dir} has learned from {share:.0%} of the dev images: name by --data the very folders that "
            "it was trained on."
        )


def log_weights(bin_counts):
    """(313,) float32: what a strength of 1 adds to the logits."""
    import numpy as np

    from colorization.core import bins

    return np.log(bins.rebalancing_weights(bin_counts, MIX))


def measure(model, bin_counts, rgb, sizes, strengths, temperatures):
    """([{"size", "strength", "temperature", metrics}], colorfulness of the truth)."""
    import numpy as np
    from keras import ops
    from tqdm import tqdm

    from colorization.core import bins, metrics
    from colorization.datasets import pipeline
    from colorization.inference import graph

    shift, rarity = log_weights(bin_counts), bins.rebalancing_weights(bin_counts, mix=0.0)
    combinations = list(itertools.product(strengths, temperatures))

    def decode(logits, _):
        decoded = [bins.annealed_mean(logits + strength * shift, t) for strength, t in combinations]
        return ops.concatenate(decoded, axis=-1)

    rows = []
    for size in sizes:
        squared, color, weights = [[] for _ in combinations], [[] for _ in combinations], []
        count = max(1, BATCH // rgb[0, ..., 0].size)
        for start in tqdm(range(0, len(rgb), count), desc=f"at {size} pixels", leave=False):
            batch = rgb[start : start + count]
            lightness, ab = pipeline.to_lightness_and_ab(batch, np.zeros(len(batch), bool))
            shape = graph.working_shape(model, *batch.shape[1:3], size)
            found = ops.convert_to_numpy(graph.ab_at(model, decode, lightness, None, shape))
            checkpoint_io.append(rarity[ops.convert_to_numpy(bins.nearest(ab))])
            for i, predicted in enumerate(np.split(found, len(combinations), axis=-1)):
                squared[i].append(np.square(ab - predicted).sum(-1))
                color[i].append(metrics.colorfulness(graph.compose(lightness, predicted)))
        for (strength, temperature), errors, colors in zip(combinations, squared, color, strict=True):
            errors = np.concatenate(errors)
            rows.append(
                {
                    "size": size,
                    "strength": strength,
                    "temperature": temperature,
                    "ab_rmse": metrics.ab_rmse(errors),
                    "auc": metrics.auc(errors),
                    "rebalanced_auc": metrics.auc(errors, np.concatenate(weights)),
                    "colorfulness": float(np.mean(np.concatenate(colors))),
                }
            )
    return rows, float(np.mean(metrics.colorfulness(rgb)))


def choose(rows, truth):
    """The row of the highest AuC among those about as colorful as the truth; else the nearest to it."""
    near = [row for row in rows if abs(row["colorfulness"] / truth - 1) <= WITHIN]
    if near:
        return max(near, key=lambda row: row["auc"])
    return min(rows, key=lambda row: abs(row["colorfulness"] - truth))


def apply(run_dir, settings, bin_counts, chosen, target):
    """A copy of a run with the chosen row's settings, whole or not at all."""
    from colorization.core import config
    from colorization.runs import resolve, folder, checkpoint_io
    from colorization.core.atomic_io import write_text

    new = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(new, ignore_errors=True)
    of_preset = (resolve.CARD, resolve.CHECKSUMS)
    left_out = shutil.ignore_patterns(
        folder.LAST, folder.METRICS, folder.SAMPLES, folder.LOGS, "tune", "*.onnx", *of_preset
    )
    shutil.copytree(run_dir, new, ignore=left_out)
    arrays, attributes = checkpoint_io.load(new / config.BEST, "model")
    arrays["block9_conv/bias"] = arrays["block9_conv/bias"] + chosen["strength"] * log_weights(bin_counts)
    checkpoint_io.save(new / config.BEST, {"model": arrays}, attributes)
    fixed = {} if settings.task == "transfer" else {"working_size": chosen["size"]}
    folder.write_config(new, dataclasses.replace(settings, temperature=float(chosen["temperature"]), **fixed))
    before = folder.read_tuned(new).get("strength", 0.0)
    write_text(new / folder.TUNED, json.dumps({"strength": before + chosen["strength"]}) + "\n")
    new.rename(target)


def picture(rows, truth):
    """A matplotlib Figure: raw AuC over colorfulness, a line for each working size and strength."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    sizes = sorted({row["size"] for row in rows})
    strengths = sorted({row["strength"] for row in rows})
    for size, marker in zip(sizes, itertools.cycle("osD^v"), strict=False):
        for i, strength in enumerate(strengths):
            line = [row for row in rows if (row["size"], row["strength"]) == (size, strength)]
            axes.plot(
                [row["colorfulness"] for row in line],
                [row["auc"] for row in line],
                marker=marker,
                markersize=4,
                linewidth=0.8,
                color=f"C{i}",
                label=f"{size} px, strength {strength:g}",
            )
    axes.axvspan((1 - WITHIN) * truth, (1 + WITHIN) * truth, color="0.9", label="truth, within 15 %")
    axes.set(xlabel="colorfulness", ylabel="raw AuC, %", title="a point for each temperature")
    axes.legend(fontsize=6, ncols=2)
    return figure


def _csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    sys.exit(main())
