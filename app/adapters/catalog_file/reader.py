"""Reads a catalog by the name of a built-in one, or by the path of a file. Errors name file, line, key and remedy."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from app.adapters.catalog_file.lines import line_of, lines
from app.catalog.checking.checker import checked
from app.catalog.checking.problems import Problem
from app.catalog.definitions import Catalog
from app.errors import ConfigurationError, InvalidCatalog

BASELINE = "baseline"
"""The catalog of the features that the baseline model was trained on."""
BUILT_IN: Mapping[str, Path] = MappingProxyType(
    {path.stem: path for path in sorted(Path(__file__).parents[1].joinpath("catalogs").glob("*.toml"))}
)
MOST_BYTES = 256 * 1024
_PLACE = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Mistake(NamedTuple):
    """A problem and the line on which it is."""

    line: int
    problem: Problem

    def text(self, file: str) -> str:
        """The mistake as compilers print theirs.

        >>> Mistake(3, Problem(("catalog", "name"), "a text is expected here")).text("a.toml")
        'a.toml:3: catalog.name: a text is expected here'
        """
        parts = (f"{file}:{self.line}", self.problem.key, self.problem.text)
        return ": ".join(filter(None, parts))


class Read(NamedTuple):
    """The catalog of a file, or its mistakes in order of lines."""

    catalog: Catalog | None
    mistakes: tuple[Mistake, ...]


def load_catalog(name: str) -> Catalog:
    """The built-in catalog of this name, or the one in the file at this path.

    Raises InvalidCatalog, which lists all mistakes, or ConfigurationError where there is no readable file.
    """
    catalog, mistakes = parsed(content(name))
    if catalog is None:
        raise InvalidCatalog(
            "\n".join(["the catalog is refused:", *(mistake.text(name) for mistake in mistakes)])
        )
    return catalog


def content(name: str) -> bytes:
    """The bytes of a catalog, at most one more than allowed. Raises ConfigurationError where there is no readable file."""
    try:
        with BUILT_IN.get(name, Path(name)).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"'{name}' is neither a built-in catalog ({', '.join(BUILT_IN)}) nor a readable file: {why}. Give one of them."
        ) from error


def parsed(data: bytes) -> Read:
    """The catalog in the bytes of a file, or its mistakes."""
    try:
        text = _text(data)
        values, known = _values(text), lines(text)
    except _Unreadable as error:
        return Read(None, (error.mistake,))
    except RecursionError:
        return Read(None, (Mistake(1, Problem((), "arrays or tables are nested too deeply")),))
    catalog, problems = checked(values)
    mistakes = (Mistake(line_of(problem.path, known), problem) for problem in problems)
    return Read(catalog, tuple(sorted(mistakes, key=lambda mistake: mistake.line)))


class _Unreadable(Exception):
    def __init__(self, line: int, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.mistake = Mistake(line, Problem((), message, remedy))


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise _Unreadable(
            1, f"the file is larger than {MOST_BYTES:,} bytes", "split it, or remove what is not used"
        )
    if data.startswith(_BYTE_ORDER_MARK):
        raise _Unreadable(1, "the file begins with a byte order mark", "store it as UTF-8 without one")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(
            line, f"byte 0x{data[error.start]:02x} is not UTF-8", "store the file as UTF-8"
        ) from error


def _values(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _PLACE.search(said)
        last = text.rstrip("\n").count("\n") + 1
        line, column = (int(place[1]), f"column {place[2]}: ") if place and place[1] else (last, "")
        raise _Unreadable(line, f"{column}no valid TOML: {_PLACE.sub('', said)}") from error
    except ValueError as error:
        raise _Unreadable(1, "a number has thousands of digits") from error
