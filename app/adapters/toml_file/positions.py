"""Places in a TOML document: of its keys, and of the characters of its texts. ``tomllib`` reads values, and does not say where they stand.

Only for documents that ``tomllib`` has read without an error: for others the result is undefined.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from app.adapters.toml_file.text_origins import place_in_content
from app.checking.problems import Path
from app.expressions.position import START, Position

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}' r"|'''(?:[^']|'(?!''))*'{3,5}" r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'",
    re.DOTALL,
)


def positions(text: str) -> "Positions":
    """Return the places of a document."""
    scanner = _Scanner(text)
    scanner.scan()
    return Positions(text, scanner.keys, scanner.texts)


class Positions:
    """Where each table, key and array element begins, by its path."""

    def __init__(self, text: str, keys: Mapping[Path, int], texts: Mapping[Path, tuple[int, int]]) -> None:
        self._text = text
        self._keys = keys
        self._texts = texts
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def all(self) -> dict[Path, Position]:
        """The place of everything in the document."""
        return {path: self._position(offset) for path, offset in self._keys.items()}

    def of(self, path: Path) -> Position:
        """The place of a path, or of the innermost table around it that the document has."""
        lengths = range(len(path), 0, -1)
        known = (path[:length] for length in lengths if path[:length] in self._keys)
        return next((self._position(self._keys[each]) for each in known), START)

    def within(self, path: Path, at: Position) -> Position:
        """The place of a character of the text at a path; ``at`` is its line and column in the value."""
        if path not in self._texts:
            return self.of(path)
        begin, end = self._texts[path]
        return self._position(begin + place_in_content(self._text[begin:end], at))

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)


class _Part(NamedTuple):
    """A part of a dotted key, and its offset."""

    name: str
    at: int


class _Scanner:
    def __init__(self, text: str) -> None:
        self.keys: dict[Path, int] = {}
        """The offset at which each path begins."""
        self.texts: dict[Path, tuple[int, int]] = {}
        """Begin and end of each value that is a text, its quotes included."""
        self._text = text
        self._at = 0
        self._counts: dict[Path, int] = {}
        """Number of tables so far, by path of their array."""

    def scan(self) -> None:
        table: Path = ()
        for _ in self._steps(""):
            if self._takes("[["):
                table = self._array_header()
            elif self._takes("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        parts = self._key()
        path = self._entered(parts)
        self.keys[path] = parts[-1].at  # a table that was only implied by [table.inner] before
        self._takes("]")
        return path

    def _array_header(self) -> Path:
        *outer, last = self._key()
        array = (*self._entered(outer), last.name)
        self._counts[array] = self._counts.get(array, 0) + 1
        self._takes("]]")
        self.keys.setdefault(array, last.at)
        path = (*array, self._counts[array] - 1)
        self.keys[path] = last.at
        return path

    def _entered(self, parts: "list[_Part]") -> Path:
        """The path of the keys of a header, through the newest table of each array."""
        path: Path = ()
        for part in parts:
            path = (*path, part.name)
            self.keys.setdefault(path, part.at)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        """A key and its value, in a table with a header or between braces."""
        path = table
        for part in self._key():
            path = (*path, part.name)
            self.keys.setdefault(path, part.at)
        self._takes("=")
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._takes("["):
            self._array(path)
        elif self._takes("{"):
            for _ in self._steps("}"):
                self._pair(path)
        elif text := self._skip(_TEXT):
            self.texts[path] = (self._at - len(text), self._at)
        else:
            self._skip(_BARE_VALUE)

    def _array(self, path: Path) -> None:
        for index in self._steps("]"):
            self.keys[*path, index] = self._at
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

    def _key(self) -> "list[_Part]":
        """The parts of a dotted key."""
        parts = [self._key_part()]
        while self._takes("."):
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> "_Part":
        self._skip(_SPACE)
        at = self._at
        quoted = self._skip(_TEXT)
        name = str(tomllib.loads(f"key = {quoted}")["key"]) if quoted else self._skip(_BARE_KEY)
        self._skip(_SPACE)
        return _Part(name, at)

    def _takes(self, symbol: str) -> bool:
        found = self._text.startswith(symbol, self._at)
        self._at += len(symbol) * found
        return found

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """The text that matches here; empty where none does."""
        match = pattern.match(self._text, self._at)
        found = match[0] if match else ""
        self._at += len(found)
        return found
