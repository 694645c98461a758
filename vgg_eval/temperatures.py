"""The temperature of the annealed mean: swept on the dev split, chosen there and only there."""

import json

import numpy as np
from keras import ops
from tqdm import tqdm

from colorization.core import bins, metrics
from colorization.inference import graph
from colorization.runs import folder
from colorization.core.atomic_io import write_text

from vgg_eval import significance, judge, columns

TEMPERATURES = (0.0, 0.1, 0.2, 0.38, 0.5, 0.6, 0.7, 0.8, bins.TEMPERATURE, 1.0, 1.2)
"""From the mode (0) to the mean (1) and beyond; 0.38 is Zhang et al.'s, 0.89 the report's."""


def sweep(judge, run_dir, shown, folder):
    """Measure a classification's annealed mean at every one of TEMPERATURES.

    Args:
        judge: a judging.Judge.
        run_dir: a run folder whose task decodes by annealed mean.
        shown: judging.Images, of the dev split.
        folder: Path where the result is kept, and found again.

    Returns:
        [{"temperature", "accuracy", "interval", "auc", "colorfulness"}], in the order of TEMPERATURES.
    """
    path = folder / f"temperatures-{judging.key([judge.run_dir, run_dir], shown, TEMPERATURES)}.json"
    if (found := _read(path)) is not None:
        return found
    _, model = folder.load_model(run_dir)
    decodings = {str(t): lambda logits, _, t=t: bins.annealed_mean(logits, t) for t in TEMPERATURES}
    decoded = graph.predictor(model, decodings, None)  # each has its own
    pictures, squared = {name: [] for name in decodings}, {name: [] for name in decodings}
    batches = tqdm(
        columns.batches_with_lab(shown.rgb), desc="batches at every temperature", unit="", leave=False
    )
    for lightness, ab in batches:
        for name, predicted in decoded.predict_on_batch(lightness).items():
            pictures[name].append(graph.compose(lightness, predicted))
            squared[name].append(np.sum(np.square(ops.convert_to_numpy(ab) - predicted), axis=-1))
    rows = []
    for temperature, name in zip(TEMPERATURES, decodings, strict=True):
        rgb = np.concatenate(pictures[name])
        rows.append(
            {
                "temperature": temperature,
                **significance.accuracy(judge.probabilities(rgb).argmax(axis=1) == shown.labels),
                "auc": metrics.auc(np.concatenate(squared[name])),
                "colorfulness": float(np.mean(metrics.colorfulness(rgb))),
            }
        )
    write_text(path, json.dumps(rows) + "\n")
    return rows


def _read(path):
    """The rows that sweep wrote; None if there are none, or damaged ones."""
    try:
        rows = json.loads(path.read_text())
        best(rows)  # has every row what is asked of it?
        return rows if [row["temperature"] for row in rows] == list(TEMPERATURES) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def best(rows):
    """The temperature of the highest accuracy of the judge; of equals the one of the highest AuC."""
    return max(rows, key=lambda row: (row["accuracy"], row["auc"]))["temperature"]
