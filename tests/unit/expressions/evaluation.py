"""The value of an expression for one row, computed by both back-ends."""

from collections.abc import Mapping

from app.expressions.cells import Cell, Lists
from app.expressions.checking import checker
from app.expressions.program import compiled
from app.expressions.vector.columns import cells, chunk_of
from tests.support.expressions.names import LISTS, NAMES, row

NOTHING_LISTED: Lists = dict.fromkeys(LISTS, frozenset[str]())


def value(text: str, given: Mapping[str, Cell], lists: Lists = NOTHING_LISTED) -> Cell:
    """The value of the expression for a row with the given cells, the others missing."""
    program = compiled(checker.derived(text, NAMES), NAMES)
    one = program.one(row(**given), lists)
    chunk = chunk_of([row(**given)] * 3, [column.kind for column in NAMES.columns])

    assert [repr(one)] * 3 == [repr(cell) for cell in cells(program.many(chunk, lists))]
    return one
