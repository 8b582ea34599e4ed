"""Copies numbers between arrays in compiled functions.

``target[:n] = source`` means the same, but numba compiles the wording of its error with it, which takes eight seconds.
"""

from typing import Any

from numpy.typing import NDArray

from app.features.compiled import compiled


@compiled
def copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    """Copy the numbers of ``source`` to ``target``, which must be as long and must not overlap it."""
    if len(source) != len(target):
        raise ValueError("the arrays differ in length")
    for i in range(len(source)):
        target[i] = source[i]


@compiled
def copy_column(table: NDArray[Any], source: int, target: int) -> None:
    """Copy one column of a table to another."""
    for row in range(table.shape[0]):
        table[row, target] = table[row, source]
