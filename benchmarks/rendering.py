"""Options of rendering, measured on photographs: error of color, bleeding at edges, and seconds.

    python benchmarks/rendering.py photographs-128-heldout --split dev --images 300

Each photograph is made gray, colored by the preset `photos`, and compared with its own colors. At a working
size of 48, the photographs are larger than the prediction, as people's photographs are. Bleeding is the mean
error of ab within 4 pixels of strong edges of lightness. For borders, each photograph gets a white frame.
The comparison leaves it out.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from common import print_table
from tqdm import tqdm

import colorization
from colorization.core import color_numpy
from colorization.evaluation import evaluator
from colorization.inference.rendering import PLAIN
from colorization.runs import resolve
from colorization.runs.folder import RunFolder

EDGE = 25.0  # of L, over one pixel
NEAR = 4  # pixels
FRAME = 16  # pixels
THRESHOLDS = np.arange(151)
WAYS = {
    "bilinear, 48": (48, PLAIN, 0),
    "edges, 48": (48, PLAIN._replace(upsampling="edges"), 0),
    "fast": (None, PLAIN, 0),
    "best": (None, PLAIN._replace(quality="best"), 0),
    "framed, borders unknown": (None, PLAIN, FRAME),
    "framed, borders found": (None, PLAIN._replace(borders=True), FRAME),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="photographs that no training saw")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--images", type=int, default=300)
    options = parser.parse_args()
    preset = RunFolder(resolve.preset_folder("photos"))
    images, _ = evaluator._images(preset, options.split, options.folder)  # of 112 pixels, as it was trained
    pictures = images[:: max(1, len(images) // options.images)][: options.images]
    rows = []
    for name, (size, rendering, frame) in WAYS.items():
        model = colorization.load("photos", working_size=size, rendering=rendering)
        found = [measured(model, picture, frame) for picture in tqdm(pictures, desc=name, leave=False)]
        rows.append([name, *(f"{value:.3f}" for value in np.mean(found, axis=0))])
    title = f"{len(pictures)} {options.split} photographs of {options.folder.name}"
    print_table(title, ["rendering", "raw AuC", "ab RMSE", "bleeding", "chroma", "seconds"], rows)


def measured(model, picture, frame):
    """(raw AuC in %, ab RMSE, bleeding, mean chroma, seconds) of one photograph."""
    true = color_numpy.rgb_to_lab(picture)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    framed = np.pad(gray, frame, constant_values=255)
    start = time.perf_counter()
    colored = model.colorize(framed)
    seconds = time.perf_counter() - start
    inside = colored[frame : frame + len(gray), frame : frame + gray.shape[1]]
    ab = color_numpy.rgb_to_lab(inside)[..., 1:]
    error = np.linalg.norm(ab - true[..., 1:], axis=-1)
    auc = 100 * np.mean([(error <= threshold).mean() for threshold in THRESHOLDS])
    near = near_edges(true[..., 0])
    bleeding = error[near].mean() if near.any() else error.mean()
    chroma = np.linalg.norm(ab, axis=-1).mean()
    return auc, np.sqrt(np.square(error).mean()), bleeding, chroma, seconds


def near_edges(lightness):
    """(H, W) bool: the places near strong edges."""
    steps = [cv2.Sobel(lightness, cv2.CV_32F, *axes, ksize=1) for axes in ((1, 0), (0, 1))]
    edges = (np.hypot(*steps) > 2 * EDGE).astype(np.uint8)  # Sobel's step is over two pixels
    return cv2.dilate(edges, np.ones((2 * NEAR + 1,) * 2, np.uint8)) > 0


if __name__ == "__main__":
    main()
