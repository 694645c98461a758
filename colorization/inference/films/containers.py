"""Open containers of films by PyAV."""

from pathlib import Path
from typing import Any


def open_container(path: Path, mode: str = "r", **options: Any) -> Any:
    """Open a container. FFmpeg would take the relative path "2001: A film.mp4" as a protocol.

    Args:
        path: Path of the file.
        mode: "r" or "w".
        options: of av.open.

    Returns:
        PyAV's InputContainer or OutputContainer.

    Raises:
        Exception: an FFmpegError of PyAV: the file cannot be opened. Its `filename` is the absolute path.
    """
    import av

    opened: Any = av.open
    return opened(str(path.absolute()), mode, **options)
