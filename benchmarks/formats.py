"""A colorizer in each export format: its results on photographs, and its speed.

    python benchmarks/formats.py RUN

Parity: the share of values that differ from Colorizer by more than one 8-bit level, on photographs of
scikit-image, whole and cut to odd sizes. Cold start: a complete `colorize image` of one photograph (chelsea,
451 x 300), from the start of the process to its end. Throughput: the same photograph repeatedly in one
process. The formats are measured alternately.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import interleaved, print_machine, print_table, ratio
from skimage import data

from colorization import Colorizer
from colorization.core import image_files
from colorization.export import export_model, formats
from colorization.inference import runtimes
from colorization.runs import RunFolder, resolve

FORMATS = ("savedmodel", "onnx", "litert")
PHOTOGRAPHS = {
    "astronaut": data.astronaut(),
    "coffee, a quarter": data.coffee()[:200, :300],
    "rocket, a strip": data.rocket()[100:137, :501],
    "astronaut, cut": data.astronaut()[:101, :67],
    "chelsea, less than a stride": data.chelsea()[100:107, 100:109],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", help="a run folder, or a preset's name")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    photograph = data.chelsea()

    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        run = scratch / "run"  # without its ONNX file, which would color in place of Keras
        shutil.copytree(resolve.run_folder(options.run), run)
        RunFolder(run).onnx_path.unlink(missing_ok=True)
        image_files.write(scratch / "photo.png", photograph)
        colorizer = Colorizer.load(run)
        models = {"run folder (Keras)": run}
        warm = {"run folder (Keras)": lambda: colorizer.colorize(photograph)}
        parity = {name: [] for name in PHOTOGRAPHS}
        for name in FORMATS:
            models[name] = _written(run, name, photograph, scratch)
            other = runtimes.load(models[name])
            warm[name] = lambda other=other: other.colorize(photograph)
            for title, picture in PHOTOGRAPHS.items():
                again = runtimes.load(_written(run, name, picture, scratch))
                parity[title].append(_beyond(again.colorize(picture), colorizer.colorize(picture)))
        seconds, _ = interleaved(warm, options.repetitions)
        cold = {name: [] for name in models}
        for _ in range(options.repetitions):
            for name, path in models.items():
                start = time.perf_counter()
                command = [sys.executable, "-m", "colorization.cli", "image", scratch / "photo.png"]
                command += ["--model", path, "-o", scratch / "out", "--overwrite"]
                subprocess.run(command, check=True, capture_output=True)
                cold[name].append(time.perf_counter() - start)
        sizes = {name: _megabytes(path) for name, path in models.items()}

    print_table(
        "Values more than one level away from Colorizer's",
        ["photograph", "size", *FORMATS],
        [
            [name, f"{picture.shape[1]} x {picture.shape[0]}", *(f"{share:.3%}" for share in parity[name])]
            for name, picture in PHOTOGRAPHS.items()
        ],
    )
    keras = next(iter(models))
    print_table(
        f"One photograph of {photograph.shape[1]} x {photograph.shape[0]}, {options.run}",
        ["format", "cold start, s", "ratio", "photographs/s", "ratio", "MB"],
        [
            [
                name,
                float(np.median(cold[name])),
                ratio(cold[keras], cold[name]),
                float(1 / np.median(seconds[name])),
                ratio(seconds[keras], seconds[name]),
                sizes[name],
            ]
            for name in models
        ],
    )
    print_machine()


def _written(run, format, picture, scratch):
    """Path of a run's export for a picture; LiteRT's is of its size only."""
    size = picture.shape[:2] if format == "litert" else None
    path = scratch / f"model{size or ''}{formats.FORMATS[format]}"
    if not path.exists():
        export_model(run, format, path, size=size)
    return path


def _beyond(found, expected):
    """Share of the values that are more than one level apart."""
    return float(np.mean(np.abs(found.astype(int) - expected) > 1))


def _megabytes(path):
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    main()
