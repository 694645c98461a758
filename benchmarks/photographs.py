"""Photographs from 1 to 100 megapixels, and a folder of 1,000: seconds and memory of `colorize image`.

    python benchmarks/photographs.py
    python benchmarks/photographs.py --folder 1000

Each command is a process of its own, from JPEG to JPEG. "Beyond small" is its time less that of a photograph
of 451 x 300. The yardstick is Pillow's reading and writing of the same JPEG, and one float32 conversion from
Lab to RGB by OpenCV. All of them take turns; the table shows medians. Memory is the peak of the resident set.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from common import print_table
from PIL import Image
from skimage import data

# The kernel's own count of the process: that of its parent would include the parent before the start
COMMAND = """
import pathlib
from colorization.cli.entry import main
code = main()
print(pathlib.Path("/proc/self/status").read_text())
raise SystemExit(code)
"""
MEGAPIXELS = (1, 12, 24, 100)
Image.MAX_IMAGE_PIXELS = None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=int, nargs="+", default=MEGAPIXELS)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--folder", type=int, metavar="N", help="color N photographs of 1 megapixel instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.folder:
            folder(Path(scratch), options.folder)
        else:
            single(Path(scratch), options.megapixels, options.repetitions)


def single(scratch, megapixels, repetitions):
    """The table of single photographs."""
    small = scratch / "small.jpg"
    write(small, data.chelsea())
    rows = []
    for size in megapixels:
        photograph = scratch / f"{size}.jpg"
        write(photograph, enlarged(size * 10**6))
        whole, start, yardstick, memory = ([] for _ in range(4))
        for _ in range(repetitions):
            start.append(command(small)[0])
            seconds, peak = command(photograph)
            whole.append(seconds)
            memory.append(peak)
            yardstick.append(read_convert_write(photograph))
        beyond = np.array(whole) - start
        rows.append(
            [
                f"{size}",
                *(float(np.median(values)) for values in (whole, start, beyond, yardstick)),
                f"{np.median(beyond) / np.median(yardstick):.2f}",
                round(max(memory) / 1e6),
            ]
        )
    header = ["megapixels", "seconds", "small, cold start", "beyond small", "yardstick", "ratio", "peak MB"]
    print_table("`colorize image`, JPEG to JPEG", header, rows)


def folder(scratch, count):
    """Images/s of a folder, and memory after a tenth of them and after all."""
    for number in range(count):
        picture = np.roll(enlarged(10**6), 37 * number, axis=1)
        write(scratch / "album" / f"{number:04d}.jpg", picture)
    tenth = scratch / "tenth"
    tenth.mkdir()
    for path in sorted((scratch / "album").iterdir())[: count // 10]:
        path.rename(tenth / path.name)
    few, memory = command(tenth)
    seconds, peak = command(scratch / "album")
    rest = count - count // 10
    print_table(
        f"A folder of photographs of 1 megapixel, {os.cpu_count()} cores",
        ["images", "seconds", "images/s", "peak MB"],
        [
            [count // 10, few, count // 10 / few, round(memory / 1e6)],
            [rest, seconds, rest / seconds, round(peak / 1e6)],
        ],
    )


def command(source):
    """(seconds, peak of the resident set in bytes) of coloring a file or a folder."""
    output = source.with_name(f"{source.stem}-colored{source.suffix}")
    words = [sys.executable, "-c", COMMAND, "image", source, "-o", output, "--overwrite"]
    start = time.perf_counter()
    process = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - start, 1024 * int(process.stdout.rpartition("VmHWM:")[2].split()[0])


def read_convert_write(path):
    """Seconds of the yardstick."""
    with Image.open(path) as image:
        lab = np.zeros((*image.size[::-1], 3), np.float32)
    lab[..., 0] = 50
    start = time.perf_counter()
    with Image.open(path) as image:
        image.load()
    cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    image.convert("RGB").save(io.BytesIO(), "JPEG", quality=95, subsampling=0)
    return time.perf_counter() - start


def enlarged(pixels):
    """A gray photograph of about this many pixels, with the grain of a film."""
    photograph = data.astronaut()
    side = (pixels / 1.5) ** 0.5
    large = cv2.resize(photograph, (round(1.5 * side), round(side)), interpolation=cv2.INTER_CUBIC)
    gray = cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)
    grain = np.random.default_rng(0).integers(-4, 5, (512, 512), np.int16)
    tiled = np.tile(grain, (gray.shape[0] // 512 + 1, gray.shape[1] // 512 + 1))
    return np.clip(gray + tiled[: gray.shape[0], : gray.shape[1]], 0, 255).astype(np.uint8)


def write(path, picture):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path, quality=95)


if __name__ == "__main__":
    main()
