"""Compiled expressions: a difference of the back-ends is found, constants spread over a chunk, empty chunks have no rows."""

import pytest

from app.expressions.cells import Cell
from app.expressions.checking import checker
from app.expressions.names import Field, Kind, Names
from app.expressions.program import compiled, differences
from app.expressions.tree import Column
from app.expressions.vector.columns import cells, chunk_of
from tests.support.expressions.names import NAMES, row
from tests.unit.expressions.evaluation import NOTHING_LISTED

ROWS = [row(count_1d=0.0), row(count_1d=1.0), row()]
KINDS = [column.kind for column in NAMES.columns]


@pytest.mark.parametrize(("wrong", "found"), [(True, [0, 2]), (None, [0, 1]), (1.0, [0, 1, 2])])
def test_rows_with_two_values_are_found(wrong: bool | float | None, found: list[int]) -> None:
    program = compiled(checker.condition("count_1d > 0", NAMES), NAMES)

    assert [] == differences(program, ROWS, NAMES, NOTHING_LISTED)
    assert found == differences(program._replace(one=lambda *_: wrong), ROWS, NAMES, NOTHING_LISTED)


def test_zeros_of_two_signs_are_a_difference() -> None:
    program = compiled(checker.derived("count_1d", NAMES), NAMES)

    assert [0] == differences(program._replace(one=lambda *_: -0.0), ROWS[:1], NAMES, NOTHING_LISTED)


@pytest.mark.parametrize(
    ("text", "expected"), [("1 == 1", True), ("2 EUR * 2", 400), ("1 / 0", None), ("min(1, 2)", 1.0)]
)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_constant_is_the_value_of_every_row(text: str, expected: float | None, rows: int) -> None:
    program = compiled(checker.derived(text, NAMES), NAMES)

    assert [expected] * rows == cells(program.many(chunk_of(ROWS[:rows], KINDS), NOTHING_LISTED))


def test_a_text_is_not_compiled() -> None:
    with pytest.raises(TypeError, match="neither a number nor money nor a time"):
        compiled(Column("merchant", Kind.TEXT), NAMES)


MIXED: list[Cell] = [None, True, 1, 1.0, "a"]
"""One cell of each type."""


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.NUMBER, "x == 1", [None, None, None, True, None]),
        (Kind.MONEY, "x == 0.01 EUR", [None, None, True, None, None]),
        (Kind.BOOLEAN, "x", [None, True, None, None, None]),
        (Kind.TEXT, "x == 'a'", [None, None, None, None, True]),
        (Kind.TEXT, "x == x", [None, None, None, None, True]),
        (Kind.TEXT, "x in blocked", [None, None, None, None, True]),
        (Kind.TEXT, "is_missing(x)", [True, True, True, True, False]),
    ],
)
def test_a_cell_of_another_type_is_missing_in_both_back_ends(
    kind: Kind, text: str, expected: list[bool | None]
) -> None:
    names = Names(columns=(Field("x", kind),), currency="EUR", lists=("blocked",))
    program, rows = compiled(checker.condition(text, names), names), [(cell,) for cell in MIXED]
    lists = {"blocked": {"a"}}

    assert expected == [program.one(each, lists) for each in rows]
    assert expected == cells(program.many(chunk_of(rows, [kind]), lists))


def test_a_column_of_another_type_than_was_checked_is_refused() -> None:
    program = compiled(checker.condition("count_1d > 0", NAMES), NAMES)
    texts = chunk_of([("a",)] * 2, [Kind.TEXT])

    with pytest.raises(TypeError, match="is Texts, not Values"):
        program.many(texts._replace(columns=list(texts.columns) * len(KINDS)), NOTHING_LISTED)
