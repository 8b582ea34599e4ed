"""Lines of the keys of a TOML document: ``tomllib`` reads values, and does not say where they stand.

Only for texts that ``tomllib`` has read without an error: for others the result is undefined.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}' r"|'''(?:[^']|'(?!''))*'{3,5}" r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'",
    re.DOTALL,
)


def lines(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, on which each table, key and array element begins, by its path."""
    return _Scanner(text).found()


def line_of(path: Path, known: Mapping[Path, int]) -> int:
    """The line of a path, or of the innermost table around it that the file has."""
    lengths = range(len(path), 0, -1)
    return next((known[path[:length]] for length in lengths if path[:length] in known), 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._found: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        """Number of tables so far, by path of their array."""

    def found(self) -> dict[Path, int]:
        table: Path = ()
        for _ in self._steps(""):
            if self._takes("[["):
                table = self._array_header()
            elif self._takes("["):
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _header(self) -> Path:
        path = self._entered(self._key())
        self._found[path] = self._line  # a table that was only implied by [table.inner] before
        self._takes("]")
        return path

    def _array_header(self) -> Path:
        *outer, last = self._key()
        array = (*self._entered(outer), last)
        self._counts[array] = self._counts.get(array, 0) + 1
        self._takes("]]")
        self._found.setdefault(array, self._line)
        path = (*array, self._counts[array] - 1)
        self._found[path] = self._line
        return path

    def _entered(self, keys: list[str]) -> Path:
        """The path of the keys of a header, through the newest table of each array."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            self._found.setdefault(path, self._line)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        """A key and its value, in a table with a header or between braces."""
        path = table
        for key in self._key():
            path = (*path, key)
            self._found.setdefault(path, self._line)
        self._takes("=")
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._takes("["):
            self._array(path)
        elif self._takes("{"):
            for _ in self._steps("}"):
                self._pair(path)
        elif not self._skip(_TEXT):
            self._skip(_BARE_VALUE)

    def _array(self, path: Path) -> None:
        for index in self._steps("]"):
            self._found[*path, index] = self._line
            self._value((*path, index))

    def _steps(self, end: str) -> Iterator[int]:
        """Count steps, with a comma between them, until ``end`` is taken. One that takes nothing is the last: no text is endless."""
        self._skip(_BLANK)
        before, index = -1, 0
        while before < self._at < len(self._text) and not (end and self._takes(end)):
            before = self._at
            yield index
            index += 1
            self._skip(_BLANK)
            self._takes(",")
            self._skip(_BLANK)

    def _key(self) -> list[str]:
        """The parts of a dotted key."""
        parts = [self._key_part()]
        while self._takes("."):
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        self._skip(_SPACE)
        quoted = self._skip(_TEXT)
        part = str(tomllib.loads(f"key = {quoted}")["key"]) if quoted else self._skip(_BARE_KEY)
        self._skip(_SPACE)
        return part

    def _takes(self, symbol: str) -> bool:
        found = self._text.startswith(symbol, self._at)
        self._at += len(symbol) * found
        return found

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """The text that matches here; empty where none does."""
        match = pattern.match(self._text, self._at)
        found = match[0] if match else ""
        self._at += len(found)
        self._line += found.count("\n")
        return found
