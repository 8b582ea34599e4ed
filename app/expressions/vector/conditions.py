"""Compiles conditions to NumPy functions of a chunk: two masks, true and false, so that each connective is one operation on each."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import assert_never

import numpy as np

from app.expressions import kinds, tree
from app.expressions.names import Names
from app.expressions.tree import Column, Condition, Relation
from app.expressions.vector.arithmetic import Data, Mask
from app.expressions.vector.columns import Chunk, Texts, Truth
from app.expressions.vector.quantities import ChunkQuantity, quantity
from app.expressions.vector.texts import ChunkLists, listed, matching, same_text

ChunkCondition = Callable[[Chunk, ChunkLists], Truth]

_RELATIONS: Mapping[Relation, Callable[[Data, Data], Mask]] = {
    Relation.EQUAL: np.equal,
    Relation.LESS: np.less,
    Relation.LESS_EQUAL: np.less_equal,
    Relation.GREATER: np.greater,
    Relation.GREATER_EQUAL: np.greater_equal,
}


def condition(found: Condition, names: Names) -> ChunkCondition:  # noqa: C901, PLR0911  # one case for each kind of node
    """Compile a tree of type boolean."""
    match found:
        case Column():
            index = names.indexes[found.name]
            return lambda chunk, _: chunk.column(index, Truth)
        case tree.Compare():
            return _compared(found, names)
        case tree.OneOf():
            return _member(quantity(found.operand, names), [each.value for each in found.values])
        case tree.TextOneOf():
            return _text(found.column, names, frozenset(found.values).__contains__)
        case tree.StartsWith():
            prefix = found.prefix
            return _text(found.column, names, lambda text: text.startswith(prefix))
        case tree.SameText():
            left, right = _texts(found.left, names), _texts(found.right, names)
            return lambda chunk, _: same_text(left(chunk), right(chunk))
        case tree.InList():
            texts, list_name = _texts(found.column, names), found.list_name
            return lambda chunk, lists: listed(texts(chunk), lists[list_name])
        case tree.IsMissing():
            return _missing(found.operand, names)
        case tree.Not():
            operand = condition(found.operand, names)
            return lambda chunk, lists: Truth(*reversed(operand(chunk, lists)))
        case tree.And():
            return _chain([condition(each, names) for each in found.operands], _and)
        case tree.Or():
            return _chain([condition(each, names) for each in found.operands], _or)
        case _:
            assert_never(found)


def _compared(found: tree.Compare, names: Names) -> ChunkCondition:
    holds = _RELATIONS[found.relation]
    left, right = quantity(found.left, names), quantity(found.right, names)

    def compared(chunk: Chunk, _: ChunkLists) -> Truth:
        first, second = left(chunk), right(chunk)
        return _where(first.present & second.present, holds(first.data, second.data))

    return compared


def _member(operand: ChunkQuantity, values: list[float] | list[int]) -> ChunkCondition:
    def member(chunk: Chunk, _: ChunkLists) -> Truth:
        data, present = operand(chunk)
        return _where(present, np.isin(data, np.array(values)))

    return member


def _where(present: Mask, holds: Mask) -> Truth:
    true = present & holds
    return Truth(true, present & ~holds)


def _texts(column: Column, names: Names) -> Callable[[Chunk], Texts]:
    index = names.indexes[column.name]
    return lambda chunk: chunk.column(index, Texts)


def _text(column: Column, names: Names, holds: Callable[[str], bool]) -> ChunkCondition:
    texts = _texts(column, names)
    return lambda chunk, _: matching(texts(chunk), holds)


def _missing(found: tree.Tree, names: Names) -> ChunkCondition:
    if kinds.is_text(found):
        texts = _texts(found, names)
        return lambda chunk, _: _known(texts(chunk).codes < 0)
    if kinds.is_condition(found):
        holds = condition(found, names)
        return lambda chunk, lists: _known(~np.logical_or(*holds(chunk, lists)))
    value = quantity(kinds.as_quantity(found), names)
    return lambda chunk, _: _known(~value(chunk).present)


def _known(holds: Mask) -> Truth:
    return Truth(holds, ~holds)


def _and(left: Truth, right: Truth) -> Truth:
    return Truth(left.true & right.true, left.false | right.false)


def _or(left: Truth, right: Truth) -> Truth:
    return Truth(left.true | right.true, left.false & right.false)


def _chain(operands: list[ChunkCondition], join: Callable[[Truth, Truth], Truth]) -> ChunkCondition:
    return lambda chunk, lists: reduce(join, (operand(chunk, lists) for operand in operands))
