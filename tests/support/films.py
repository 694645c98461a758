"""Small films, written and read by PyAV."""

from fractions import Fraction

import av
import numpy as np
from skimage import data

RATE = Fraction(24000, 1001)


def pictures(count, height, width):
    cat = data.chelsea()
    return [np.ascontiguousarray(cat[i : i + height, 2 * i : 2 * i + width]) for i in range(count)]


def make(path, shown, times=None, sound=True):
    """Write a film; `times` in frames."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE, options={"crf": "8"})
        video.height, video.width = shown[0].shape[:2]
        video.pix_fmt = "yuv444p"
        voice = output.add_stream("aac", rate=48000) if sound else None
        for i, rgb in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = times[i] if times else i, 1 / RATE
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound:
            for i in range(int(len(shown) / RATE * 48000 / 1024)):
                wave = np.sin(np.arange(1024 * i, 1024 * (i + 1)) * 0.05)[None].astype("float32")
                frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 48000, 1024 * i
                output.mux(voice.encode(frame))
            output.mux(voice.encode(None))
    return path


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
