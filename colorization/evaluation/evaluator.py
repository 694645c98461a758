"""The metrics of a run on a data set: every decoding and two baselines."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from colorization import datasets
from colorization.core.config import ColorizerConfig
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets import leak_check, loading
from colorization.evaluation.measure import measure
from colorization.inference.colorizer import predictor
from colorization.models import tasks
from colorization.runs.folder import RunFolder

COLUMNS = {
    "ab_rmse": "ab RMSE ↓",
    "psnr": "pooled PSNR ↑",
    "ssim": "SSIM ↑",
    "ciede2000": "CIEDE2000 ↓",
    "auc": "raw AuC ↑",
    "rebalanced_auc": "rebalanced AuC ↑",
    "colorfulness": "colorfulness",
    "delta_colorfulness": "Δ colorfulness ↓",
}
"""Key in metrics.json -> heading. Other keys are their own headings."""


def evaluate(
    run_dir: StrPath,
    split: str = "dev",
    *,
    source: str | Path | None = None,
    temperature: float | None = None,
    measures: Mapping[str, Callable] = {},
) -> dict[str, Any]:
    """Measure a run on one split. The result is also written to its metrics.json.

    Args:
        run_dir: path of the run folder.
        split: "dev" or "test".
        source: name or path of another data set, split by the settings of the run. Photographs that were held
            out in the training are held out here too. None is the run's own data.
        temperature: of the annealed mean; None is the run's own.
        measures: {heading: function of true and predicted (B, H, W, 3) uint8 RGB that returns (B,)}.

    Returns:
        {"data", "split", "images", "temperature", "methods": {name: {metric: value}}}. The methods are gray,
        mean color (of the training set), every decoding of the task, and truth. The temperature is None if
        the task has none.

    Raises:
        InputError: the run or the data are not usable, the run was trained on images of `source`, or the task
            does not use a temperature.
    """
    run = RunFolder(run_dir)
    run.metrics()  # refuses a damaged file before the work
    task = tasks.of(run.expect(ColorizerConfig).config)
    if temperature is None:
        temperature = task.temperature(run.config)
    else:
        tasks.refuse_temperature(task)
    decoded = predictor(run, task.decodings, temperature)
    rgb, data_name = _images(run, split, source)
    prior = run.color_prior()

    def predict(lightness, ab):
        return {
            "gray": np.zeros_like(ab),
            "mean color": np.broadcast_to(prior.mean_ab, ab.shape),
            **decoded.predict_on_batch(lightness),
            "truth": ab,
        }

    results = measure(rgb, predict, prior, batch_size=run.config.dev_batch_size, measures=measures)
    truth = results["truth"]["colorfulness"]
    for values in results.values():
        values["delta_colorfulness"] = abs(values["colorfulness"] - truth)
    report = {
        "data": data_name,
        "split": split,
        "images": len(rgb),
        "temperature": temperature,
        "methods": results,
    }
    name = key(split if source is None else f"{split} of {source}", temperature, task.temperature(run.config))
    keep(run, name, report)
    return report


def refuse_training_images(run: RunFolder, held_out: Callable[[int], np.ndarray]) -> None:
    """Refuse held-out images that a run was trained on: another folder of photographs holds out others.

    Args:
        run: a RunFolder whose data are found.
        held_out: function of a side in pixels that returns the images, (N, side, side, 3) uint8.

    Raises:
        InputError: the run was trained on more than one image in a hundred, or its data are not found.
    """
    known = run.data().train.images
    leak_check.refuse_known(
        held_out(known.shape[1]),
        [known],
        f"{run} was trained on {{share}} of the held-out images. Name with --data exactly the folders of its "
        "training.",
    )


def keep(run: RunFolder, name: str, report: dict[str, Any]) -> None:
    """Add an evaluation to a run's metrics.json. Prints a warning if the file cannot be written.

    Args:
        run: a RunFolder.
        name: name of the evaluation, see key.
        report: {name: value}, the evaluation.
    """
    try:
        run.write_metrics({**run.metrics(), name: report})
    except InputError as error:
        print(f"warning: {error}", file=sys.stderr)


def key(images: str, temperature: float | None, own_temperature: float | None) -> str:
    """The name of an evaluation in metrics.json.

    Args:
        images: name of the images.
        temperature: of the annealed mean, or None.
        own_temperature: temperature of the run, or None.

    Returns:
        The images, and the temperature if it differs from that of the run.
    """
    return images + (f" at T={temperature}" if temperature not in (None, own_temperature) else "")


def table(report: dict[str, Any]) -> str:
    """An evaluation as a table.

    Args:
        report: result of evaluate.

    Returns:
        Markdown text.
    """
    measured = next(iter(report["methods"].values()))
    keys = [key for key in COLUMNS if key in measured] + [key for key in measured if key not in COLUMNS]
    rows = [["", *(str(COLUMNS.get(key, key)) for key in keys)], ["---", *["---:"] * len(keys)]]
    for name, values in report["methods"].items():
        rows.append([name, *(_shown(values[key]) for key in keys)])
    title = f"{report['images']} {report['split']} images of {report['data']}"
    title += "" if report["temperature"] is None else f", T = {report['temperature']}"
    return title + "\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _shown(value):
    return "-" if value is None else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def _images(run, split, source):
    """((N, H, W, 3) uint8, name of the data set) of the run's split, or of another source's.

    A source with the same content as the run's own data, at another place, has the run's own splits.
    """
    if source is None:
        images, name = run.images(split)
        return images.images, name
    dataset = _load(run, source, run.config.image_size)
    if run.is_trained_on(dataset):
        return dataset.test.images[getattr(run.splits(dataset), split)], dataset.name
    rows = getattr(loading.split(run.config, dataset), split)
    images = dataset.test.images[rows]
    if _has_data(run):
        own = run.config.image_size
        refuse_training_images(
            run, lambda side: images if side == own else _load(run, source, side).test.images[rows]
        )
    return images, dataset.name


def _has_data(run):
    """Whether the run's data are found. A data set that has a name may not be prepared on this machine."""
    source = run.source()
    if source not in datasets.NAMES:
        return source is not None
    try:
        run.dataset()
    except InputError:
        return False
    return True


def _load(run, source, side):
    """The Dataset of a source at a side in pixels. Photographs are held out by name, as in the training."""
    if datasets.photographs.recognizes(Path(source)) and _knows_photographs(run):
        source = datasets.photographs.prepare([source], side)
    return loading.load(run.config, source, side)


def _knows_photographs(run):
    """Whether a run was trained on photographs, which are held out by their names."""
    return tuple(run.classes()) == datasets.photographs.CLASSES
