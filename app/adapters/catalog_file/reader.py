"""Reads a catalog by the name of a built-in one, or by the path of a file. Errors name file, line, key and remedy."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from app.adapters.toml_file.reader import MOST_BYTES, Mistake, Unreadable, document
from app.catalog.checking.checker import checked
from app.catalog.definitions import Catalog
from app.errors import ConfigurationError, InvalidCatalog

BASELINE = "baseline"
"""The catalog of the features that the baseline model was trained on."""
BUILT_IN: Mapping[str, Path] = MappingProxyType(
    {path.stem: path for path in sorted(Path(__file__).parents[1].joinpath("catalogs").glob("*.toml"))}
)


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
        file = document(data)
    except Unreadable as error:
        return Read(None, (error.mistake,))
    catalog, problems = checked(file.values)
    return Read(catalog, file.mistakes(problems))
