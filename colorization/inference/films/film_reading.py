"""Read films, including damaged ones: the decoded frames, each at its own time."""

import contextlib
import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.inference.films import frame_sequence
from colorization.inference.films.containers import open_container

COVER = 1 << 10
"""FFmpeg's AV_DISPOSITION_ATTACHED_PIC, of the stream of a cover picture."""

_LISTED = 5  # times in one warning
_MISSING = 0.25  # least number of missing seconds at the end of a film that was cut short
_SEEK_BACK = 3  # seconds before the wanted time, since some containers seek inexactly
_DECLARING = {"mov", "matroska", "avi", "asf", "flv"}
"""FFmpeg's names of containers with the duration in the header. FFmpeg estimates it for others."""


class Times:
    """Moments of a film, as text for a warning. All are counted, and the first ones are listed."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[float] = []

    def add(self, seconds: float) -> None:
        """Count a moment.

        Args:
            seconds: from the beginning of the film.
        """
        self.count += 1
        if len(self._first) < _LISTED:
            self._first.append(seconds)

    def __str__(self) -> str:
        more = self.count - len(self._first)
        return ", ".join(map(clock, self._first)) + (f" and {more} more" if more else "")


class Film:
    """A film that is open for reading.

    Attributes:
        path: Path of the file.
        container: PyAV's InputContainer.
        stream: its stream of pictures.
        time_base: Fraction, the seconds of one unit of time.
        rate: Fraction, mean number of frames per second.
        begin: the time at which the film begins, in units of `time_base`.
        end: the time at which the last decoded frame ends.
    """

    def __init__(self, path: Path):
        self.path = path
        self.container, self.stream = _open(path)
        self.time_base, self.rate = self.stream.time_base, self.stream.average_rate
        self.begin = round(Fraction(self.container.start_time or 0, 1_000_000) / self.time_base)
        self.end = self.begin
        self._step = max(1, round(1 / (self.rate * self.time_base)))
        self._forget()

    def _forget(self):
        """Forget the damage of an earlier reading."""
        self._lost, self._damaged, self._broken = Times(), Times(), ""
        self._read, self._longest = 0, 0.0

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    @property
    def frames(self) -> int:
        """The number of frames according to the header; 0 if it is unknown."""
        return self.stream.frames

    @property
    def seconds(self) -> float | None:
        """The duration; None if it is unknown."""
        if self.stream.duration:
            return float(self.stream.duration * self.time_base)
        return self.container.duration / 1e6 if self.container.duration else None

    @property
    def aspect(self) -> Fraction | None:
        """Width of a pixel over its height; None if it is unknown."""
        return self.stream.sample_aspect_ratio

    def seconds_of(self, time: int) -> float:
        """Convert a time to seconds.

        Args:
            time: in units of `time_base`.

        Returns:
            Seconds from the beginning of the film.
        """
        return float((time - self.begin) * self.time_base)

    def decoded(self, start: float = 0.0) -> Iterator[Any]:
        """The film's frames.

        A frame that cannot be decoded is replaced by the frame before it. `warnings` reports this later.

        Args:
            start: seconds; frames before may be left out.

        Yields:
            PyAV's VideoFrame. Each `pts` is greater than the one before.
        """
        self._forget()
        if start > _SEEK_BACK:
            self._seek(start)
        before = None
        for time, frame in self._replaced():
            frame.pts = time if before is None else max(before + 1, time)
            frame.time_base = self.time_base
            before = frame.pts
            self.end = before + (frame.duration or self._last_duration() or self._step)
            yield frame

    def warnings(self, *, whole: bool = True) -> list[str]:
        """Sentences about the damage that `decoded` found.

        Args:
            whole: whether the film was decoded to its end.

        Returns:
            Sentences for the user; empty without damage.
        """
        name, found = printable(self.path), []
        if self._lost.count:
            found.append(
                f"{name} has {self._lost.count} frames that cannot be decoded (at {self._lost}): each is "
                "replaced by the frame before it."
            )
        if self._damaged.count:
            found.append(f"{name} has damaged pictures (at {self._damaged}).")
        if self._broken:
            found.append(
                f"{name} cannot be read beyond {clock(self.seconds_of(self.end))} ({self._broken}): the "
                "film is colored up to there."
            )
        elif whole and self._declared() - self._longest > _MISSING:
            found.append(
                f"{name} ends at {clock(self._longest)} instead of {clock(self._declared())}: "
                "the file was cut short. The film is colored up to its end."
            )
        return found

    def _replaced(self):
        """(time, frame) of all frames. A lost frame is replaced by the frame before it."""
        lost: list[int] = []
        last, time = None, self.begin - self._step
        for frame in self._decoded_packets(lost):
            time = time + self._step if frame.pts is None else frame.pts
            while lost and lost[0] < time:
                yield heapq.heappop(lost), last or frame
            if frame.is_corrupt:
                self._damaged.add(self.seconds_of(time))
            yield time, frame
            last = frame
        while lost and last:
            yield heapq.heappop(lost), last

    def _decoded_packets(self, lost):
        """All frames that can be decoded; adds the times of the others to the heap `lost`."""
        from av.error import FFmpegError, MemoryError

        for packet in self._packets():
            try:
                yield from self.stream.decode(packet)
            except MemoryError:
                raise
            except FFmpegError:
                if packet is None or packet.size == 0:
                    return
                time = packet.dts if packet.pts is None else packet.pts
                if time is not None:
                    heapq.heappush(lost, time)
                    self._lost.add(self.seconds_of(time))

    def _packets(self):
        """The packets of the picture, up to the first place at which the file cannot be read."""
        from av.error import FFmpegError

        try:
            for packet in self.container.demux():
                self._note_end(packet)
                if packet.stream is self.stream:
                    self._read += bool(packet.size)
                    yield packet
        except FFmpegError as error:
            self._broken = error.strerror
            yield None  # the frames that the decoder still holds

    def _seek(self, start):
        """Continue at a keyframe before `start`, or at the beginning if FFmpeg finds none."""
        from av.error import FFmpegError

        place = self.begin + int((start - _SEEK_BACK) / self.time_base)
        try:
            self.container.seek(place, stream=self.stream)
            packet = next(self.container.demux(self.stream))
            if packet.dts is not None and self.seconds_of(packet.dts) <= start:
                self.container.seek(place, stream=self.stream)
                return
        except FFmpegError:
            pass
        self.close()
        self.container, self.stream = _open(self.path)

    def _last_duration(self):
        """The duration of the last frame, in units of `time_base`; None unless the film has one frame."""
        return self.stream.duration if self.stream.frames == 1 else None

    def _note_end(self, packet):
        """Remember the end of the longest stream."""
        if packet.size and packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base - self.begin * self.time_base
            self._longest = max(self._longest, float(end))

    def _declared(self):
        """The seconds that the header promises for the longest stream; 0 if it promises none."""
        if not _DECLARING & set(self.container.format.name.split(",")):
            return 0.0
        if self.stream.frames:
            return self._longest + float((self.stream.frames - self._read) / self.rate)
        return (self.container.duration or 0) / 1e6


@contextlib.contextmanager
def opened(source: StrPath, fps: Fraction | None = None) -> Iterator[Film | frame_sequence.FrameSequence]:
    """Open a film. FFmpeg's errors in the block become InputErrors.

    System errors about another file are not converted: the code that writes that file reports them.

    Args:
        source: path of a film that FFmpeg reads, of a folder of frames, or a pattern of frames.
        fps: frames per second of a folder or pattern of frames; None for films.

    Yields:
        Film or FrameSequence.

    Raises:
        InputError: the source is not a film or cannot be read.
    """
    try:
        import av
    except ImportError:
        raise InputError("Films need PyAV: pip install av.") from None
    av.logging.set_level(None)  # InputError carries the message
    source = Path(source)
    if frame_sequence.recognizes(source):
        yield frame_sequence.FrameSequence(source, fps)
        return
    if fps is not None:
        raise InputError(f"{printable(source)} has its own frame rate: leave --fps out.")
    try:
        with contextlib.closing(Film(source)) as film:
            yield film
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.filename not in (None, str(source.absolute())):
            raise
        repair = ", or repair it if it was cut short" if isinstance(error, av.error.InvalidDataError) else ""
        raise InputError(
            f"{printable(source)} cannot be read as a film ({error.strerror}): give another{repair}."
        ) from None


def clock(seconds: float) -> str:
    """Format a time.

    Args:
        seconds: at least 0.

    Returns:
        Hours, minutes and seconds, such as 1:02:03.500.
    """
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _open(source):
    """(PyAV's container, the stream of the film's pictures). Raises InputError if there is none."""
    container = open_container(source, metadata_errors="replace")
    streams = [
        stream
        for stream in container.streams.video
        if stream.average_rate and stream.codec_context and not stream.disposition & COVER
    ]
    # An animated AVIF file has a stream with one frame before that of the animation
    stream = next((stream for stream in streams if stream.frames != 1), streams[0] if streams else None)
    if stream is None or _is_picture(container, stream):
        container.close()
        advice = "it has no video stream" if stream is None else "color pictures with `colorize image`"
        raise InputError(f"{printable(source)} is not a film: {advice}.")
    # Threads for slices, not for frames: those would report an error some packets later
    stream.thread_type = "SLICE"
    return container, stream


def _is_picture(container, stream):
    """Whether a container is a picture. FFmpeg gives it a stream with a frame rate."""
    name = container.format.name
    still = stream.frames == 1 and not stream.duration and not container.duration  # AVIF and HEIC
    return name == "image2" or name.endswith("_pipe") or still
