"""Cold start and throughput of a colorizer in each format that it can be exported to.

    python benchmarks/formats.py RUN

Cold start: a whole `colorize image` of one photograph (scikit-image's chelsea, 451 x 300), from the start of
the process to its end. Throughput: the same photograph again and again in one process. They take turns.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import interleaved, print_machine, print_table, ratio
from skimage import data

from colorization import Colorizer, export, exported, images
from colorization.config import TEMPERATURE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    photograph = data.chelsea()

    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        images.write(scratch / "photo.png", photograph)
        models = {"run folder (Keras)": options.run}
        for name in ("savedmodel", "onnx", "litert"):
            models[name] = scratch / f"model{export.FORMATS[name]}"
            size = photograph.shape[:2] if name == "litert" else None
            export.export(options.run, name, models[name], size=size)
        colorizer = Colorizer.load(options.run)
        warm = {"run folder (Keras)": lambda: colorizer.colorize(photograph)}
        for name, path in list(models.items())[1:]:
            other = exported.load(path)
            warm[name] = lambda other=other: other.colorize(photograph, temperature=TEMPERATURE)
        expected = colorizer.colorize(photograph).astype(int)
        beyond = {name: np.mean(np.abs(call() - expected) > 1) for name, call in warm.items()}
        seconds, _ = interleaved(warm, options.repetitions)
        cold = {name: [] for name in models}
        for _ in range(options.repetitions):
            for name, path in models.items():
                start = time.perf_counter()
                command = [
                    "image",
                    scratch / "photo.png",
                    "--model",
                    path,
                    "-o",
                    scratch / "out",
                    "--overwrite",
                ]
                subprocess.run(
                    [sys.executable, "-m", "colorization.cli", *command], check=True, capture_output=True
                )
                cold[name].append(time.perf_counter() - start)
        sizes = {name: _megabytes(path) for name, path in models.items()}

    keras = next(iter(models))
    print_table(
        f"One photograph of {photograph.shape[1]} x {photograph.shape[0]}, {options.run}",
        [
            "format",
            "cold start, s",
            "ratio",
            "photographs/s",
            "ratio",
            "MB",
            "values off by more than a level",
        ],
        [
            [
                name,
                float(np.median(cold[name])),
                ratio(cold[keras], cold[name]),
                float(1 / np.median(seconds[name])),
                ratio(seconds[keras], seconds[name]),
                sizes[name],
                f"{beyond[name]:.2%}",
            ]
            for name in models
        ],
    )
    print_machine()


def _megabytes(path):
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    main()
