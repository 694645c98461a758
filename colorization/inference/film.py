"""Films: frames in, frames out in color, each at its own time; the sound is copied."""

import contextlib
import hashlib
import heapq
import io
import itertools
import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm import tqdm

from colorization.core.atomic_io import remove_unfinished, replacing, write_text
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.inference.temporal_smoothing import Steady

SUFFIXES = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov"}
"""Of the films that can be written -> FFmpeg's name of the kind."""

_PART = 240  # frames that are kept together: what an interruption loses at most
_PIXELS = 2**20  # colored at once
_RATE = 25  # of the parts, whose frames only count
# Parts can be joined at any frame: none refers to a later one, and all have the same headers
_X264 = {"crf": "18", "x264-params": "stitchable=1:bframes=0"}
_BT709, _STUDIO = 1, 1  # FFmpeg's numbers of the color space and of the range that films have


def size(source: StrPath) -> tuple[int, int]:
    """(height, width) of a film's frames as they are stored. Raises InputError if it is none."""
    with _opened(source) as (_, stream):
        return stream.height, stream.width


def color(
    source: StrPath,
    target: StrPath,
    colorize: Callable[[np.ndarray], np.ndarray],
    key: str,
    *,
    smooth: bool = True,
) -> None:
    """Color a film. Interrupted, the next call with the same arguments goes on behind the last whole part.

    Colors follow what is shown from frame to frame, see temporal_smoothing.Steady. The picture is encoded as
    H.264 (x264, constant rate factor 18); a rotation that the film asks of its player is done.

    Args:
        source: path of any film that FFmpeg reads.
        target: path of the new one, with one of SUFFIXES; it comes into being whole or not at all.
        colorize: function of (N, H, W, 3) uint8 that returns as much.
        key: text that tells how `colorize` colors: kept parts of another one are not used.
        smooth: False leaves each frame as `colorize` colored it.

    Raises:
        InputError: the source is no film, or the target cannot be written or cannot hold its sound.
    """
    target = Path(target)
    check(source, target)
    parts = target.parent / f".{target.name}.parts"
    try:
        with _opened(source) as (container, _):
            _refuse_sound(container, target)
            _keep_parts_of(Path(source), [key, smooth], parts)
        times = _encode_parts(source, parts, colorize, smooth)
    finally:
        if not list(parts.glob("*.mkv")):
            shutil.rmtree(parts, ignore_errors=True)
    with replacing(target) as temporary:
        _join(source, sorted(parts.glob("*.mkv")), times, temporary)
    shutil.rmtree(parts)


def _first(source):
    """The film's first frame: for all it tells the size and the rotation that is asked for."""
    with _opened(source) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise InputError(f"{source} has no readable frame: give another film.")
        return first


def _refuse_sound(container, target):
    """Raise InputError, before hours of work, if the target's kind of file does not take a film's sound."""
    import av

    kind = SUFFIXES[target.suffix.lower()]
    for sound in container.streams.audio:
        try:
            with av.open(io.BytesIO(), "w", format=kind) as output:
                output.add_stream_from_template(sound)
                output.start_encoding()
        except ValueError:  # of PyAV, and of FFmpeg's that are about what is asked for
            raise InputError(
                f"{target} cannot hold the audio of the film ({sound.name}): give a name that ends in .mkv, "
                "or a film without audio."
            ) from None


def check(source: StrPath, target: Path) -> None:
    """Raise InputError if a film cannot be written to `target`: by its suffix, or since it is the source."""
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(f"{target} cannot be written: the name of a film ends in {', '.join(SUFFIXES)}.")
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if target.samefile(source):  # by any name
            raise InputError(f"{target} is the film to color: give another name with -o.")


@contextlib.contextmanager
def _opened(source):
    """(container, the stream of its picture) of a film; FFmpeg's errors in the block are InputErrors.

    Not those of the system about another file: whoever writes it tells them.
    """
    try:
        import av
    except ImportError:
        raise InputError("Films need PyAV: pip install 'keras-colorization[film]'.") from None
    av.logging.set_level(None)  # what it would say, InputError says
    try:
        with av.open(str(source)) as container:
            streams = [stream for stream in container.streams.video if stream.average_rate]
            if not streams or container.format.name.endswith("_pipe"):  # a picture has a rate too
                raise InputError(f"{source} is not a film: it has no video stream.")
            streams[0].thread_type = "AUTO"
            yield container, streams[0]
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.filename not in (None, str(source)):
            raise
        raise InputError(f"{source} cannot be read as a film ({error.strerror}): give another.") from None


def _keep_parts_of(source, key, parts):
    """Make the folder of the parts, or empty it of those of another source or key."""
    stamp = source.stat()
    origin = json.dumps([str(source.resolve()), stamp.st_size, stamp.st_mtime_ns, *key, _PART, _X264])
    digest = hashlib.sha256(origin.encode()).hexdigest()
    kept = parts / "origin"
    if not kept.exists() or kept.read_text() != digest:
        shutil.rmtree(parts, ignore_errors=True)
        write_text(kept, digest)
    remove_unfinished(parts)


def _encode_parts(source, parts, colorize, smooth):
    """Color all frames whose part is not there yet; returns the time of each, in the stream's time base."""
    times, first, state = [], _first(source), None
    with (
        _opened(source) as (container, stream),
        tqdm(total=stream.frames or None, unit=" frames") as bar,  # closed before an error is told
    ):
        frames = _noting(container.decode(stream), stream, times, bar)
        for number, group in itertools.groupby(frames, lambda _: (len(times) - 1) // _PART):
            path = parts / f"{number:06d}.mkv"
            kept = path.with_suffix(".npy")  # the last frame, which the next part's colors follow
            if path.exists():
                for _ in group:  # decoded only
                    pass
                state = np.load(kept, allow_pickle=False) if kept.exists() else None
                continue
            steady = Steady(state)
            colored = _colored(group, first, colorize)
            with replacing(path) as temporary:
                _encode(map(steady, colored) if smooth else colored, stream, temporary)
                state = steady.state
                if smooth:
                    with replacing(kept) as scratch, scratch.open("wb") as file:
                        np.save(file, state)
            for older in set(parts.glob("*.npy")) - {kept}:
                older.unlink()
    return times


def _noting(frames, stream, times, bar):
    """The frames, while `times` grows by the time of each, and the progress bar by one."""
    step = 1 / (stream.average_rate * stream.time_base)
    for frame in frames:
        after = times[-1] + 1 if times else 0
        times.append(max(after, frame.pts if frame.pts is not None else round(len(times) * step)))
        yield frame
        bar.update()


def _colored(frames, first, colorize):
    """The colored frames, (H, W, 3) uint8, of the first one's size and turned as it asks; in batches."""
    waiting = []
    for frame in frames:
        rgb = frame.to_ndarray(format="rgb24", height=first.height, width=first.width)
        rgb = np.rot90(rgb, first.rotation // 90)  # counterclockwise
        waiting.append(np.ascontiguousarray(rgb))
        if (len(waiting) + 1) * rgb[..., 0].size > _PIXELS:
            yield from colorize(np.stack(waiting))
            waiting = []
    if waiting:
        yield from colorize(np.stack(waiting))


def _encode(pictures, stream, path):
    """Write pictures as one part."""
    import av

    with av.open(str(path), "w", format="matroska") as output:
        encoder = output.add_stream("libx264", rate=_RATE, options=_X264)
        for i, rgb in enumerate(pictures):
            if not i:
                _prepare(encoder, *rgb.shape[:2], stream)
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(
                format=encoder.pix_fmt, dst_colorspace=_BT709, dst_color_range=_STUDIO
            )
            frame.pts, frame.time_base = i, Fraction(1, _RATE)
            output.mux(encoder.encode(frame))
        output.mux(encoder.encode(None))


def _prepare(encoder, height, width, stream):
    context = encoder.codec_context
    context.height, context.width = height, width
    # Players want chroma at half of the size, which an odd side does not have
    context.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _STUDIO
    aspect = stream.sample_aspect_ratio
    if aspect:
        turned = (height, width) != (stream.height, stream.width)
        context.sample_aspect_ratio = 1 / aspect if turned else aspect


def _join(source, parts, times, target):
    """Write the parts' frames at their times, and the source's sound, into one file."""
    import av

    with _opened(source) as (container, stream):
        try:
            with av.open(str(parts[0])) as first, av.open(str(target), "w") as output:
                picture = output.add_stream_from_template(first.streams.video[0])
                picture.time_base = stream.time_base
                sounds = {sound: output.add_stream_from_template(sound) for sound in container.streams.audio}
                packets = heapq.merge(
                    _timed(parts, times, stream.time_base, picture),
                    _copied(container, sounds),
                    key=lambda packet: packet.dts * packet.time_base,
                )
                for packet in packets:
                    output.mux(packet)
        except av.error.InvalidDataError as error:
            raise InputError(
                f"The audio of {source} is damaged ({error.strerror}): give the film without audio."
            ) from None


def _timed(parts, times, time_base, stream):
    """The packets of the parts' pictures, one a frame, at the frames' times."""
    import av

    ends = [*times[1:], times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1)]
    pairs = zip(times, ends, strict=True)
    for part in parts:
        with av.open(str(part)) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.dts is not None:  # the last one only flushes
                    begin, end = next(pairs)
                    packet.stream, packet.time_base = stream, time_base
                    packet.pts = packet.dts = begin
                    packet.duration = end - begin
                    yield packet


def _copied(container, streams):
    """The packets of some of a container's streams, as of those that they are to go into."""
    for packet in container.demux(list(streams)) if streams else ():
        if packet.dts is not None:
            packet.stream = streams[packet.stream]
            yield packet
