"""A run folder and a data set -> metrics of every decoding, beside two baselines."""

from pathlib import Path

import numpy as np
from keras import ops
from tqdm import tqdm

from . import bins, datasets, metrics, pipelines, prediction, runs, statistics, tasks, training

COLUMNS = {
    "ab_rmse": "ab RMSE ↓",
    "psnr": "pooled PSNR ↑",
    "ssim": "SSIM ↑",
    "auc": "raw AuC ↑",
    "rebalanced_auc": "rebalanced AuC ↑",
    "colourfulness": "colourfulness",
    "delta_colourfulness": "Δ colourfulness ↓",
}
"""Key in metrics.json -> heading."""


def evaluate(run_dir, split="dev", *, source=None, temperature=None):
    """Measure a run's best weights on one split; the result also goes into the run's metrics.json.

    Args:
        run_dir: a run folder.
        split: "dev" or "test".
        source: another data set than the run's own, split by the run's settings; a folder of pictures as
            that run's were, so that photographs which were held out in a training are so here.
        temperature: of the annealed mean; None takes the run's own.

    Returns:
        {"data", "split", "images", "temperature", "methods": {name: {metric: value}}}: the methods are
        grey, mean colour (the training set's), every decoding of the task, and truth. The temperature is None
        where the task has none.

    Raises:
        InputError: the run or the data are not usable, or a temperature is given where the task has none.
    """
    run_dir = Path(run_dir)
    settings, model = runs.load_model(run_dir)
    known = runs.read_metrics(run_dir)
    if temperature is not None:
        tasks.refuse_temperature(tasks.of(settings))
    elif tasks.takes_temperature(tasks.of(settings)):
        temperature = settings.temperature
    rgb, data_name = _images(run_dir, settings, split, source)
    colours = statistics.Statistics.load(run_dir / runs.STATISTICS)
    rarity = bins.rebalancing_weights(colours.bin_counts, mix=0.0)
    decoded = prediction.predictor(model, tasks.of(settings).decodings, temperature)
    methods = {name: _Sums() for name in ("grey", "mean colour", *tasks.of(settings).decodings, "truth")}

    for start in tqdm(range(0, len(rgb), settings.dev_batch_size), desc="evaluating", unit=" batches"):
        truth_rgb = rgb[start : start + settings.dev_batch_size]
        lightness, ab = map(
            ops.convert_to_numpy, pipelines.to_lightness_and_ab(truth_rgb, np.zeros(len(truth_rgb), bool))
        )
        weights = rarity[ops.convert_to_numpy(bins.nearest(ab))]
        predicted = {
            "grey": np.zeros_like(ab),
            "mean colour": np.broadcast_to(colours.mean_ab, ab.shape),
            **decoded.predict_on_batch(lightness),
            "truth": ab,
        }
        for name, sums in methods.items():
            sums.add(truth_rgb, ab, lightness, np.asarray(predicted[name]), weights)

    results = {name: sums.result(methods["truth"]) for name, sums in methods.items()}
    report = {
        "data": data_name,
        "split": split,
        "images": len(rgb),
        "temperature": temperature,
        "methods": results,
    }
    name = key(split if source is None else f"{split} of {source}", temperature, settings)
    runs.write_metrics(run_dir, {**known, name: report})
    return report


def key(images, temperature, settings):
    """The name of an evaluation in metrics.json: its images, and its temperature if it is not the run's."""
    return images + (f" at T={temperature}" if temperature not in (None, settings.temperature) else "")


def table(report):
    """The report as a Markdown table."""
    rows = [["", *COLUMNS.values()], ["---", *["---:"] * len(COLUMNS)]]
    for name, values in report["methods"].items():
        rows.append([name, *(_shown(values[key]) for key in COLUMNS)])
    title = f"{report['images']} {report['split']} images of {report['data']}"
    title += "" if report["temperature"] is None else f", T = {report['temperature']}"
    return title + "\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _shown(value):
    return "-" if value is None else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def _images(run_dir, settings, split, source):
    if source is not None and datasets.photos.recognises(Path(source)) and _knows_photographs(run_dir):
        source = datasets.photos.prepare([source], settings.image_size)
    data = training.load_data(settings, source)
    splits = training.read_splits(run_dir, data) if source is None else training.split(settings, data)
    return data.test.images[getattr(splits, split)], data.name


def _knows_photographs(run_dir):
    """Whether a run learned from photographs, held out by their names, rather than from classes of images."""
    return tuple(runs.read_json(run_dir / runs.DATA)["classes"]) == datasets.photos.CLASSES


class _Sums:
    """One method's errors, gathered batch by batch; the pictures themselves are not kept."""

    def __init__(self):
        self.squared, self.weights, self.rgb_errors, self.ssim, self.colour = [], [], [], [], []

    def add(self, truth_rgb, ab, lightness, prediction_ab, weights):
        rgb = prediction.compose(lightness, prediction_ab)
        self.squared.append(np.sum(np.square(ab - prediction_ab), axis=-1))
        self.weights.append(weights)
        self.rgb_errors.append(metrics.squared_rgb_errors(truth_rgb, rgb))
        self.ssim.append(metrics.ssim(truth_rgb, rgb))
        self.colour.append(metrics.colourfulness(rgb))

    def result(self, truth):
        squared, weights = map(np.concatenate, (self.squared, self.weights))
        colourfulness = float(np.mean(np.concatenate(self.colour)))
        return {
            "ab_rmse": metrics.ab_rmse(squared),
            "psnr": metrics.psnr(np.concatenate(self.rgb_errors)),
            "ssim": float(np.mean(np.concatenate(self.ssim))),
            "auc": metrics.auc(squared),
            "rebalanced_auc": metrics.auc(squared, weights),
            "colourfulness": colourfulness,
            "delta_colourfulness": abs(colourfulness - float(np.mean(np.concatenate(truth.colour)))),
        }
