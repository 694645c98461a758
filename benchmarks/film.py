"""Films: the speed of the coloring, and the flicker with and without smoothing.

    python benchmarks/film.py

A camera moves over a gray photograph with film grain, two pixels per frame. The preset `photos` colors the
film alternately with smoothing and without. Flicker is the change of an object's color between two frames, in
ab units. The position of each object is known here.
"""

import argparse
import contextlib
import io
import itertools
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from common import interleaved, print_machine, print_table, ratio
from skimage import data
from skimage.color import rgb2gray, rgb2lab

import colorization
from colorization.inference import film

STEP = 2  # pixels a frame
GRAIN = 4.0  # standard deviation, of 255


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()

    colorizer = colorization.load("photos")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "gray.mkv"
        shoot(source, options.frames, options.height, options.width)
        paths = {name: Path(folder) / f"{name}.mkv" for name in ("smoothed", "separate frames")}

        def colored(name):
            with contextlib.redirect_stderr(io.StringIO()):  # no bars in a table
                film.color(source, paths[name], colorizer.colorize, "", smooth=name == "smoothed")

        calls = {name: lambda name=name: colored(name) for name in paths}
        seconds, _ = interleaved(calls, options.repetitions)
        rows = [
            [name, options.frames / float(np.median(seconds[name])), flicker(path)]
            for name, path in paths.items()
        ]
    print_table(
        f"A film of {options.frames} frames of {options.width} x {options.height}",
        ["colors", "frames/s", "flicker, ab units"],
        rows,
    )
    print(f"\nTime, smoothed over separate frames: {ratio(seconds['smoothed'], seconds['separate frames'])}")
    print_machine()


def shoot(path, frames, height, width):
    """Write the gray film."""
    gray = 255 * rgb2gray(data.astronaut())
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=24, options={"crf": "12"})
        video.height, video.width, video.pix_fmt = height, width, "yuv420p"
        for i in range(frames):
            column = min(STEP * i, gray.shape[1] - width)
            shown = gray[:height, column : column + width]
            shown = np.clip(shown + rng.normal(0, GRAIN, shown.shape), 0, 255).astype("uint8")
            frame = av.VideoFrame.from_ndarray(np.repeat(shown[..., None], 3, axis=-1), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 24)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))


def flicker(path):
    """The mean change of an object's ab between two frames."""
    with av.open(str(path)) as container:
        ab = [rgb2lab(frame.to_ndarray(format="rgb24"))[..., 1:] for frame in container.decode(video=0)]
    moved = [
        np.linalg.norm(after[:, :-STEP] - before[:, STEP:], axis=-1).mean()
        for before, after in itertools.pairwise(ab)
    ]
    return float(np.mean(moved))


if __name__ == "__main__":
    main()
