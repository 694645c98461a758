"""Films: how fast they are colored, how much they flicker, and how much keyframes change the colors.

    python benchmarks/film.py

A camera moves over a gray photograph, two pixels a frame, with the grain of film. In the middle there is a
cut to another photograph. The preset `photos` colors the film in several ways, which take turns. Flicker is
the change of the color of the same thing from one frame to the next, in ab units; the motion is known here.
The difference is that to the colors of the first way, in ab units: each frame predicted, and smoothed.
"""

import argparse
import contextlib
import io
import itertools
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from common import interleaved, print_machine, print_table, ratio
from skimage import data
from skimage.color import rgb2gray

from colorization.core import color_numpy
from colorization.inference import loading
from colorization.inference.films import film
from colorization.inference.films.film import Settings

STEP = 2  # pixels a frame
GRAIN = 4.0  # standard deviation, of 255
WAYS = {
    "each frame, smoothed": Settings(interval=1),
    "each frame, not smoothed": Settings(interval=1, smooth=False),
    "each 4th frame": Settings(interval=4),
    "each 8th frame (default)": Settings(),
    "each 16th frame": Settings(interval=16),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--height", type=int, default=576)
    parser.add_argument("--width", type=int, default=720)
    parser.add_argument("--repetitions", type=int, default=1)
    options = parser.parse_args()

    model = loading.load("photos")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "gray.mkv"
        shoot(source, options.frames, options.height, options.width)
        paths = {name: Path(folder) / f"{number}.mkv" for number, name in enumerate(WAYS)}

        def colored(name):
            with contextlib.redirect_stderr(io.StringIO()):  # no bars in a table
                film.color(source, paths[name], model.predict_ab, "", WAYS[name])

        calls = {name: lambda name=name: colored(name) for name in paths}
        wall, cpu = interleaved(calls, options.repetitions)
        first = next(iter(paths.values()))
        rows = [
            [
                name,
                options.frames / float(np.median(wall[name])),
                float(np.median(cpu[name])) / options.frames,
                flicker(path, options.frames // 2),
                difference(first, path),
            ]
            for name, path in paths.items()
        ]
    print_table(
        f"A film of {options.frames} frames of {options.width} x {options.height}",
        ["predicted", "frames/s", "CPU s/frame", "flicker, ab units", "difference, ab units"],
        rows,
    )
    default, every = "each 8th frame (default)", "each frame, smoothed"
    print(f"\nTime of the default over each frame: {ratio(wall[default], wall[every])}")
    print_machine()


def shoot(path, frames, height, width):
    """Write the gray film."""
    long = width + STEP * frames
    scenes = [
        cv2.resize(rgb2gray(photograph), (max(long, 512), max(height, 512)), interpolation=cv2.INTER_CUBIC)
        for photograph in (data.astronaut(), data.coffee())
    ]
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=24, options={"crf": "12"})
        video.height, video.width, video.pix_fmt = height, width, "yuv420p"
        for i in range(frames):
            shown = 255 * scenes[i >= frames // 2][:height, STEP * i : STEP * i + width]
            shown = np.clip(shown + rng.normal(0, GRAIN, shown.shape), 0, 255).astype("uint8")
            frame = av.VideoFrame.from_ndarray(np.repeat(shown[..., None], 3, axis=-1), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 24)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))


def flicker(path, cut):
    """The mean change of the ab of a thing from frame to frame, within each scene."""
    moved = [
        np.linalg.norm(after[:, :-STEP] - before[:, STEP:], axis=-1).mean()
        for number, (before, after) in enumerate(itertools.pairwise(colors(path)), start=1)
        if number != cut
    ]
    return float(np.mean(moved)) if moved else float("nan")


def difference(path, other):
    """The mean distance of the ab of two films."""
    pairs = zip(colors(path), colors(other), strict=True)
    return float(np.mean([np.linalg.norm(one - two, axis=-1).mean() for one, two in pairs]))


def colors(path):
    """The ab, (H, W, 2), of each frame."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield color_numpy.rgb_to_lab(frame.to_ndarray(format="rgb24"))[..., 1:]


if __name__ == "__main__":
    main()
