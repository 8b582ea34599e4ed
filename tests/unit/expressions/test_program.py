"""Compiled expressions: a difference of the back-ends is found, constants spread over a chunk, empty chunks have no rows."""

import pytest

from app.expressions.checking import checker
from app.expressions.names import Kind
from app.expressions.program import cells, compiled, differences
from app.expressions.tree import Column
from app.expressions.vector.columns import chunk_of
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
    with pytest.raises(TypeError, match="is a text"):
        compiled(Column("merchant", Kind.TEXT), NAMES)
