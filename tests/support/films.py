"""Small films, written and read by PyAV."""

from fractions import Fraction

import av
import numpy as np
from skimage import data

RATE = Fraction(24000, 1001)


def pictures(count, height, width):
    """A camera that moves over a photograph."""
    cat = data.chelsea()
    return [np.ascontiguousarray(cat[i : i + height, 2 * i : 2 * i + width]) for i in range(count)]


def make(path, shown, times=None, sound=True, *, codec="libx264", pix_fmt="yuv444p", rate=RATE, prepare=None):
    """Write a film.

    Args:
        path: of the film.
        shown: list of (H, W, 3) uint8.
        times: of the pictures, in frames; None is one after the other.
        sound: whether it has a sound track (AAC).
        codec, pix_fmt, rate: of the picture.
        prepare: function of PyAV's container and stream of pictures, called before anything is written.
    """
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=rate, options={"crf": "8"} if codec == "libx264" else {})
        video.height, video.width = shown[0].shape[:2]
        video.pix_fmt = pix_fmt
        voice = output.add_stream("aac", rate=48000) if sound else None
        if prepare:
            prepare(output, video)
        for i, rgb in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = times[i] if times else i, 1 / rate
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound:
            _hum(output, voice, len(shown) / rate)
    return path


def _hum(output, voice, seconds):
    for i in range(max(1, int(seconds * 48000 / 1024))):
        wave = np.sin(np.arange(1024 * i, 1024 * (i + 1)) * 0.05)[None].astype("float32")
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, 1024 * i
        output.mux(voice.encode(frame))
    output.mux(voice.encode(None))


def turned(source, target, degrees):
    """The same film, which asks its player for a rotation."""
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        stream = container.streams.video[0]
        copied = output.add_stream_from_template(stream)
        turn = av.BitStreamFilterContext(
            f"h264_metadata=display_orientation=insert:rotate={degrees}", in_stream=stream
        )
        for packet in container.demux(stream):
            for changed in turn.filter(packet if packet.dts is not None else None):
                changed.stream = copied
                output.mux(changed)
    return target


def remade(source, target, change):
    """The same film with other packets.

    Args:
        source, target: paths of the two films.
        change: function of the number of a picture's packet and its bytes; returns the new bytes.
    """
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        copied = {stream: output.add_stream_from_template(stream) for stream in container.streams}
        number = 0
        for packet in container.demux():
            if not packet.size:
                continue
            stream, changed = packet.stream, packet
            if stream.type == "video":
                changed = av.Packet(change(number, bytes(packet)))
                changed.pts, changed.dts, changed.duration = packet.pts, packet.dts, packet.duration
                changed.time_base, changed.is_keyframe = packet.time_base, packet.is_keyframe
                number += 1
            changed.stream = copied[stream]
            output.mux(changed)
    return target


def read(path):
    """(times in seconds, frames, packets of sound) of a film; times from the first packet of all on."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.dts is not None]
        begin = min(packet.pts * packet.time_base for packet in packets)
        sound = [bytes(packet) for packet in packets if packet.stream.type == "audio"]
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.video[0]))
    times = [float(frame.time - begin) for frame in frames]
    return times, [frame.to_ndarray(format="rgb24") for frame in frames], sound


def tinted(lightness):
    """What stands for a colorizer in films: a tint that differs from place to place, at a quarter of the size."""
    count, height, width = lightness.shape
    rows = np.linspace(-20, 20, max(1, height // 4), dtype=np.float32)
    columns = np.linspace(-25, 15, max(1, width // 4), dtype=np.float32)
    ab = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    return np.repeat(ab[None], count, axis=0)
