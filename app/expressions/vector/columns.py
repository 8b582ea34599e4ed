"""Columns of a chunk: arrays with a mask of what is present. Texts are codes into the distinct texts of the chunk."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.expressions.bounds import MOST_INTEGER
from app.expressions.cells import Cell, Row
from app.expressions.names import TEXTUAL, Kind
from app.expressions.vector.arithmetic import Data, Mask


class Values(NamedTuple):
    """Numbers as doubles; money and times as integers of 64 bits."""

    data: Data
    present: Mask


class Truth(NamedTuple):
    """Booleans of three values: true, false, and missing where neither is set."""

    true: Mask
    false: Mask


class Texts(NamedTuple):
    """Texts as indexes into the distinct ones; -1 where missing."""

    codes: NDArray[np.int32]
    distinct: tuple[str, ...]


ChunkColumn = Values | Truth | Texts


_Column = TypeVar("_Column", Values, Truth, Texts)


class Chunk(NamedTuple):
    """The rows of a chunk, column by column, in the order of the names."""

    columns: Sequence[ChunkColumn]
    rows: int

    def column(self, index: int, of: type[_Column]) -> _Column:
        """The column at an index. Raises TypeError when it is of another type than the expression was checked for."""
        found = self.columns[index]
        if not isinstance(found, of):
            raise TypeError(f"column {index} is {type(found).__name__}, not {of.__name__}")
        return found


def numbers(data: NDArray[np.float64]) -> Values:
    """Return a column of numbers; infinite ones and those that are not a number are missing."""
    return Values(data, np.isfinite(data))


def integers(data: NDArray[np.int64], present: Mask) -> Values:
    """Return a column of money or times; -2**63 is missing."""
    return Values(data, present & (data >= -MOST_INTEGER))


def texts(cells: Iterable[str | None]) -> Texts:
    """Return a column of texts."""
    codes: dict[str, int] = {}
    found = [-1 if cell is None else codes.setdefault(cell, len(codes)) for cell in cells]
    return Texts(np.array(found, np.int32), tuple(codes))


def truths(cells: Sequence[bool | None]) -> Truth:
    """Return a column of booleans."""
    return Truth(*(np.array([cell is truth for cell in cells], np.bool_) for truth in (True, False)))


def cells(column: ChunkColumn) -> list[Cell]:
    """The values of a column as those of its rows; None where missing."""
    if isinstance(column, Texts):
        # The last text is that of code -1: a missing one.
        distinct = (*column.distinct, None)
        return [distinct[code] for code in column.codes.tolist()]
    if isinstance(column, Truth):
        return [True if true else (False if false else None) for true, false in zip(*column, strict=True)]
    return [
        value if there else None for value, there in zip(column.data.tolist(), column.present, strict=True)
    ]


def rows_of(chunk: Chunk, indexes: Collection[int]) -> list[Row]:
    """The rows of a chunk with the cells of some columns; those of the others are missing."""
    nothing: list[Cell] = [None] * chunk.rows
    columns = (cells(column) if index in indexes else nothing for index, column in enumerate(chunk.columns))
    return list(zip(*columns, strict=True))


def chunk_of(rows: Sequence[Row], kinds: Sequence[Kind]) -> Chunk:
    """Return rows as columns of the given types."""
    return Chunk([_column([row[i] for row in rows], kind) for i, kind in enumerate(kinds)], len(rows))


def _column(cells: list[Cell], kind: Kind) -> ChunkColumn:
    if kind in TEXTUAL:
        return texts(cell if isinstance(cell, str) else None for cell in cells)
    if kind is Kind.BOOLEAN:
        return truths([cell if isinstance(cell, bool) else None for cell in cells])
    if kind is Kind.NUMBER:
        return numbers(np.array([cell if isinstance(cell, float) else np.nan for cell in cells], np.float64))
    fitting = [
        cell if type(cell) is int and -MOST_INTEGER <= cell <= MOST_INTEGER else None for cell in cells
    ]
    data = np.array([cell or 0 for cell in fitting], np.int64)
    return integers(data, np.array([cell is not None for cell in fitting], np.bool_))
