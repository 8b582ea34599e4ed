"""Compiles numbers, money and times to NumPy functions of a chunk: arrays with the mask of what is present."""

from collections.abc import Callable
from functools import reduce
from typing import assert_never

import numpy as np

from app.expressions import tree
from app.expressions.names import Names
from app.expressions.tree import Column, Quantity
from app.expressions.vector.arithmetic import Computed, operations
from app.expressions.vector.columns import Chunk, Values

ChunkQuantity = Callable[[Chunk], Values]


def quantity(found: Quantity, names: Names) -> ChunkQuantity:
    """Compile a tree of type number, money or time. A constant is an array of one value, for every row."""
    match found:
        case Column():
            index = names.indexes[found.name]
            return lambda chunk: chunk.column(index, Values)
        case tree.Number() | tree.Money():
            constant = Values(np.array([found.value]), np.array([True]))
            return lambda _: constant
        case tree.Apply():
            compute = operations(names.zone)[found.operation]
            return _applied(compute, [quantity(operand, names) for operand in found.operands])
        case _:
            assert_never(found)


def _applied(compute: Callable[..., Computed], operands: list[ChunkQuantity]) -> ChunkQuantity:
    if len(operands) == 1:
        operand = operands[0]
        return lambda chunk: _computed(compute, operand(chunk))
    return lambda chunk: reduce(
        lambda left, right: _computed(compute, left, right), (operand(chunk) for operand in operands)
    )


def _computed(compute: Callable[..., Computed], *operands: Values) -> Values:
    data, present = compute(*(operand.data for operand in operands))
    masks = [operand.present for operand in operands]
    return Values(data, reduce(np.logical_and, masks if present is None else [*masks, present]))
