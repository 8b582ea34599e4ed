"""Which columns of a file are read. No other column is decoded, so that nothing in it can refuse the file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from app.errors import InvalidFile


class WantedColumns(NamedTuple):
    """The columns to read where the file has them."""

    columns: tuple[str, ...]
    """Names; one that holds several fields occurs several times."""
    require: Callable[[Sequence[str]], None]
    """Raises InvalidFile when a required column is not among the given names."""
    numbers: frozenset[str] = frozenset()
    """Columns in which JSON may have numbers with decimals; elsewhere they would become text that no one wrote."""

    def found_in(self, path: Path, names: Sequence[str]) -> list[str]:
        """The wanted columns that the file has, each once. Raises InvalidFile where one is missing or ambiguous."""
        self.require(names)
        found = [column for column in dict.fromkeys(self.columns) if column in names]
        for column in found:
            if names.count(column) > 1:
                raise InvalidFile(
                    f"{path}, column `{column}`: the header has this name {names.count(column)} times; "
                    "rename or remove the others"
                )
        return found
