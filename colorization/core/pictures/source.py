"""The bytes of a picture: from a file, which is opened again for each use, or from memory."""

import io
import stat
from pathlib import Path
from typing import BinaryIO

from colorization.core.atomic_io import system_message
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath


class Source:
    """The bytes of a picture.

    Args:
        place: a path, or all bytes. A pipe, or another file that is not regular, is read at once.
        name: for messages; None takes the path.

    Raises:
        InputError: the file is not found, or cannot be read.

    Attributes:
        name: for messages, printable.
    """

    def __init__(self, place: StrPath | bytes, name: str | None = None) -> None:
        self.name = printable(name or ("The input" if isinstance(place, bytes) else place))
        self._path: Path | None = None
        self._data = place if isinstance(place, bytes) else None
        if not isinstance(place, bytes):
            try:
                if stat.S_ISREG(Path(place).stat().st_mode):
                    self._path = Path(place)
                    self.start(1)
                else:
                    self._data = Path(place).read_bytes()
            except InputError:  # a ValueError too
                raise
            except (OSError, ValueError) as error:  # ValueError: a NUL in the path
                raise self._unreadable(error) from None

    def open(self) -> BinaryIO:
        """Open the picture at its beginning.

        Returns:
            Binary stream, which the caller closes.

        Raises:
            InputError: the file cannot be read.
        """
        if self._path is None:
            return io.BytesIO(self._data or b"")
        try:
            return self._path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from None

    def read(self) -> bytes:
        """Read the whole picture.

        Returns:
            All bytes.

        Raises:
            InputError: the file cannot be read.
        """
        if self._data is not None:
            return self._data
        return self.start(-1)

    def start(self, count: int) -> bytes:
        """Read the first bytes.

        Args:
            count: number of bytes; -1 takes all.

        Returns:
            The bytes; fewer if the picture is shorter.

        Raises:
            InputError: the file cannot be read.
        """
        try:
            with self.open() as stream:
                return stream.read(count)
        except OSError as error:
            raise self._unreadable(error) from None

    def size(self) -> int:
        """The size of the picture.

        Returns:
            Number of bytes.

        Raises:
            InputError: the file cannot be read.
        """
        with self.open() as stream:
            return stream.seek(0, io.SEEK_END)

    def refused(self, reason: str) -> InputError:
        """The InputError "NAME REASON."

        Args:
            reason: the rest of the sentence, which begins with a verb.

        Returns:
            InputError.
        """
        return InputError(f"{self.name} {reason}.")

    def _unreadable(self, error: OSError | ValueError) -> InputError:
        message = system_message(error) if isinstance(error, OSError) else str(error)
        return self.refused(f"cannot be read: {message}")
