"""A tree in both back-ends, and the test that they agree."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from app.expressions import kinds
from app.expressions.cells import Cell, Lists, Row
from app.expressions.names import Names
from app.expressions.scalar.conditions import condition as row_condition
from app.expressions.scalar.quantities import quantity as row_quantity
from app.expressions.tree import Tree
from app.expressions.vector.columns import Chunk, Truth, Values, cells, chunk_of
from app.expressions.vector.conditions import ChunkCondition
from app.expressions.vector.conditions import condition as chunk_condition
from app.expressions.vector.quantities import ChunkQuantity
from app.expressions.vector.quantities import quantity as chunk_quantity


class Program(NamedTuple):
    """A compiled expression. ``one`` and ``many`` give the same, to the bit."""

    tree: Tree
    one: Callable[[Row, Lists], Cell]
    """The value of a row; None where it is missing. A condition matches where it is True."""
    many: Callable[[Chunk, Lists], Values | Truth]
    """The values of a chunk."""


def compiled(found: Tree, names: Names) -> Program:
    """Compile a tree for rows and chunks that have the columns of these names."""
    if kinds.is_condition(found):
        return Program(found, row_condition(found, names), _truths(chunk_condition(found, names)))
    value = kinds.as_quantity(found)  # the checker refuses a text as a derived value
    one, many = row_quantity(value, names), chunk_quantity(value, names)
    return Program(found, lambda row, _: one(row), _values(many))


def differences(program: Program, rows: Sequence[Row], names: Names, lists: Lists) -> list[int]:
    """The indexes of the rows of which the two back-ends compute different values, bit for bit.

    Rules and features are checked so on stored rows when they are loaded.
    """
    found = program.many(chunk_of(rows, [column.kind for column in names.columns]), lists)
    return [
        index
        for index, (row, cell) in enumerate(zip(rows, cells(found), strict=True))
        if _bits(program.one(row, lists)) != _bits(cell)
    ]


def _bits(cell: Cell) -> object:
    return (type(cell), cell.hex() if isinstance(cell, float) else cell)


def _truths(many: ChunkCondition) -> Callable[[Chunk, Lists], Truth]:
    def truths(chunk: Chunk, lists: Lists) -> Truth:
        with np.errstate(all="ignore"):
            true, false = many(chunk, lists)
        return Truth(np.broadcast_to(true, chunk.rows), np.broadcast_to(false, chunk.rows))

    return truths


def _values(many: ChunkQuantity) -> Callable[[Chunk, Lists], Values]:
    def values(chunk: Chunk, _: Lists) -> Values:
        with np.errstate(all="ignore"):
            data, present = many(chunk)
        return Values(np.broadcast_to(data, chunk.rows), np.broadcast_to(present, chunk.rows))

    return values
