"""The bounds on files, from the settings. The sender of a file decides how long its lines are, so the reader must limit them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from app.errors import InvalidFile
from app.settings import FileSettings
from app.settings.kinds import variable

_in_force = [FileSettings()]


def use(files: FileSettings) -> None:
    """Read files by these settings from now on. A command has one set of settings, and calls this before it reads."""
    _in_force[0] = files


def in_force() -> FileSettings:
    return _in_force[0]


def setting(bound: str) -> str:
    """The setting with its value, for messages."""
    return f"{variable('files', bound)}={getattr(in_force(), bound):,}"


def too_long(path: Path, line: int) -> InvalidFile:
    """The refusal of a line, counted from 1."""
    return InvalidFile(f"{path}, line {line}: is longer than {setting('line_bytes')} bytes")


def bounded_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file. Raises InvalidFile at one that is too long, of which no more than that is read."""
    most = in_force().line_bytes
    with path.open("rb") as file:
        number = 0
        while line := file.readline(most + 1):
            number += 1
            if len(line) > most:
                raise too_long(path, number)
            yield line


class RecordLines:
    """The lines of an open text file for a parser whose records may have several. Raises InvalidFile for a record that is too long."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path = path
        self._file = file
        self._number = 0
        self.next_record()

    def next_record(self) -> None:
        """The lines up to now are those of complete records."""
        self._left = in_force().line_bytes

    def __iter__(self) -> "RecordLines":
        return self

    def __next__(self) -> str:
        self._number += 1
        line = self._file.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            raise too_long(self._path, self._number)
        return line
