"""Laws of expressions: both back-ends equal an interpreter of their own, a tree reads back from its text, bounds hold."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import InvalidExpression
from app.expressions import printer, tree
from app.expressions.bounds import MOST_CHARACTERS, MOST_COST, MOST_DEPTH
from app.expressions.checking import checker
from app.expressions.cost import cost
from app.expressions.names import Kind
from app.expressions.program import compiled, differences
from app.expressions.tree import Tree
from app.expressions.vector.columns import cells, chunk_of
from tests.support.expressions import oracle
from tests.support.expressions.names import NAMES
from tests.support.expressions.rows import lists, rows
from tests.support.expressions.trees import conditions, quantities

KINDS = [column.kind for column in NAMES.columns]
trees = st.one_of(conditions(), *(quantities(kind) for kind in (Kind.NUMBER, Kind.MONEY, Kind.TIME)))


def bits(cell: Any) -> Any:
    return (type(cell), cell.hex() if isinstance(cell, float) else cell)


@settings(max_examples=100)
@given(trees, st.lists(rows, max_size=5), lists)
def test_both_back_ends_give_what_the_interpreter_gives(found: Tree, some: list[Any], entries: Any) -> None:
    program = compiled(found, NAMES)
    expected = [bits(oracle.value(found, row, entries)) for row in some]

    assert expected == [bits(program.one(row, entries)) for row in some]
    assert expected == [bits(cell) for cell in cells(program.many(chunk_of(some, KINDS), entries))]
    assert [] == differences(program, some, NAMES, entries)


@settings(max_examples=100)
@given(trees)
def test_a_tree_reads_back_from_its_text(found: Tree) -> None:
    assert found == checker.derived(printer.text(found), NAMES)


@given(conditions(), rows, lists)
def test_a_condition_and_its_negation_never_both_match(found: tree.Condition, row: Any, entries: Any) -> None:
    holds, negated = (compiled(each, NAMES).one(row, entries) for each in (found, tree.Not(found)))

    assert (holds, negated) in {(True, False), (False, True), (None, None)}


@given(conditions(), rows, lists)
def test_whether_a_value_is_missing_is_always_known(found: tree.Condition, row: Any, entries: Any) -> None:
    holds = compiled(found, NAMES).one(row, entries)

    assert compiled(tree.IsMissing(found), NAMES).one(row, entries) is (holds is None)


@given(st.text(max_size=60))
@example("'" + "a" * MOST_CHARACTERS)
@example("amount >\n\t'é'")
def test_any_text_is_an_expression_or_is_refused_at_a_position_within_it(text: str) -> None:
    try:
        found = checker.derived(text, NAMES)
    except InvalidExpression as error:
        refused = error
    else:
        assert cost(found) <= MOST_COST
        assert depth(found) <= MOST_DEPTH
        return

    lines = text.split("\n")
    assert 1 <= refused.line <= len(lines)
    assert 1 <= refused.column <= len(lines[refused.line - 1]) + 1


def depth(found: Tree) -> int:
    return 1 + max(map(depth, tree.parts(found)), default=0)
