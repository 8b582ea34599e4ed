"""Reads a TOML file that others have written, and says where in it a problem is."""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, NamedTuple

from app.adapters.toml_file.positions import Positions, positions
from app.checking.problems import Problem
from app.expressions.position import START, Position

MOST_BYTES = 256 * 1024
_PLACE = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Mistake(NamedTuple):
    """A problem and the line on which it is."""

    line: int
    problem: Problem
    column: int = 1
    """Of the key, or of the character within a text where an expression is wrong."""

    def text(self, file: str) -> str:
        """The mistake as compilers print theirs.

        >>> Mistake(3, Problem(("catalog", "name"), "a text is expected here")).text("a.toml")
        'a.toml:3: catalog.name: a text is expected here'
        """
        return self._after(f"{file}:{self.line}")

    def text_with_column(self, file: str) -> str:
        """As ``text``, with the column.

        >>> Mistake(3, Problem(("rules", 0, "when"), "unknown field 'amout'"), 17).text_with_column("a.toml")
        "a.toml:3:17: rules[0].when: unknown field 'amout'"
        """
        return self._after(f"{file}:{self.line}:{self.column}")

    def _after(self, place: str) -> str:
        return ": ".join(filter(None, (place, self.problem.key, self.problem.text)))


class Document(NamedTuple):
    """What a file says, and where."""

    values: dict[str, Any]
    places: Positions

    def mistakes(self, problems: Iterable[Problem]) -> tuple[Mistake, ...]:
        """The problems with their places, in order of lines."""
        found = [Mistake(at.line, problem, at.column) for problem in problems if (at := self._place(problem))]
        return tuple(sorted(found, key=lambda mistake: mistake.line))

    def _place(self, problem: Problem) -> Position:
        if problem.within is None:
            return self.places.of(problem.path)
        return self.places.within(problem.path, problem.within)


class Unreadable(Exception):
    """A file is no TOML within the bounds."""

    def __init__(self, at: Position, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.mistake = Mistake(at.line, Problem((), message, remedy), at.column)


def document(data: bytes) -> Document:
    """The document in the bytes of a file. Raises Unreadable."""
    text = _text(data)
    try:
        return Document(_values(text), positions(text))
    except RecursionError as error:
        raise Unreadable(START, "arrays or tables are nested too deeply") from error


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Unreadable(
            START, f"the file is larger than {MOST_BYTES:,} bytes", "split it, or remove what is not used"
        )
    if data.startswith(_BYTE_ORDER_MARK):
        raise Unreadable(START, "the file begins with a byte order mark", "store it as UTF-8 without one")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        begin = data.rfind(b"\n", 0, error.start) + 1
        at = Position(line, len(data[begin : error.start].decode()) + 1)
        raise Unreadable(
            at, f"byte 0x{data[error.start]:02x} is not UTF-8", "store the file as UTF-8"
        ) from error


def _values(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _PLACE.search(said)
        last = text.rstrip("\n").count("\n") + 1
        at, column = (
            (Position(int(place[1]), int(place[2])), f"column {place[2]}: ")
            if place and place[1]
            else (Position(last, 1), "")
        )
        raise Unreadable(at, f"{column}no valid TOML: {_PLACE.sub('', said)}") from error
    except ValueError as error:
        raise Unreadable(START, "a number has thousands of digits") from error
