"""Reading and writing whole pictures against plain Pillow: seconds and ratio, of many megapixels.

    python benchmarks/picture_files.py

Pillow reads into an array, and saves an array without metadata. The reader and the writer of this project
also look for profile, orientation, damage and metadata, and write a profile. Both take turns.
"""

import argparse
import io

import cv2
import numpy as np
from common import interleaved, print_machine, print_table, ratio
from PIL import Image
from skimage import data

from colorization.core.pictures import Picture, open_picture
from colorization.core.pictures.file_metadata import Metadata
from colorization.core.pictures.writing import write_picture

SAVED_BY_PILLOW = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    rgb = _photograph(options.megapixels)
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    rows = []
    for format in SAVED_BY_PILLOW:
        for name, pixels in (("gray", gray), ("RGB", rgb)):
            content = _by_pillow(pixels, format)
            calls = {
                "Pillow": lambda content=content: np.asarray(Image.open(io.BytesIO(content))),
                "ours": lambda content=content: next(open_picture(content).pages()).pixels,
            }
            rows.append(_row(f"read {format}, {name}", calls, options.repetitions))
        calls = {
            "Pillow": lambda format=format: _by_pillow(rgb, format),
            "ours": lambda format=format: write_picture(io.BytesIO(), format, [Picture(rgb)], Metadata()),
        }
        rows.append(_row(f"write {format}, RGB", calls, options.repetitions))
    title = f"{rgb.shape[1]} x {rgb.shape[0]} pixels"
    print_table(title, ("step", "Pillow, s", "this project, s", "ratio"), rows)
    print_machine()


def _photograph(megapixels):
    """A photograph of that size with grain, uint8 RGB."""
    side = int((megapixels * 1e6) ** 0.5)
    grain = np.random.default_rng(0).normal(0, 4, (side, side, 1)).astype(np.float32)
    return np.clip(cv2.resize(data.astronaut(), (side, side)) + grain, 0, 255).astype(np.uint8)


def _by_pillow(pixels, format):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **SAVED_BY_PILLOW[format])
    return buffer.getvalue()


def _row(name, calls, repetitions):
    wall, _ = interleaved(calls, repetitions)
    medians = {call: float(np.median(seconds)) for call, seconds in wall.items()}
    return name, medians["Pillow"], medians["ours"], ratio(wall["ours"], wall["Pillow"])


if __name__ == "__main__":
    main()
