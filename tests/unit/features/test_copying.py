"""Copies between arrays of compiled functions, and the slower way that they replace."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.copying import copy, copy_column
from tests.support.paths import REPOSITORY

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50)
COMPILED = {"compiled", "borrowing"}


@given(NUMBERS, st.data())
def test_a_copy_is_the_assignment_of_a_slice(numbers: list[int], data: st.DataObject) -> None:
    source, target = np.array(numbers, np.int64), np.arange(len(numbers) + 3)
    begin = data.draw(st.integers(0, 3))
    expected = target.copy()
    expected[begin : begin + len(source)] = source

    copy(source, target[begin : begin + len(source)])

    assert target.tolist() == expected.tolist()


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        copy(np.zeros(3, np.int64), np.zeros(2, np.int64))


def test_a_column_is_copied_in_every_row() -> None:
    table = np.arange(12).reshape(3, 4)

    copy_column(table, 3, 1)

    assert table[:, 1].tolist() == table[:, 3].tolist() == [3, 7, 11]


def test_no_compiled_function_assigns_an_array_to_a_slice() -> None:
    """Each such assignment would add seconds to the first start (app/features/copying.py)."""
    found = [
        f"{path.relative_to(REPOSITORY)}:{assignment.lineno}"
        for path in (REPOSITORY / "app").rglob("*.py")
        for assignment in slice_assignments(path)
    ]

    assert found == []


def test_an_assignment_to_a_slice_is_found(tmp_path: Path) -> None:
    source = tmp_path / "some.py"
    source.write_text(
        "@compiled\ndef f(a, b):\n    a[:2], n = b, 1\n    a[:, 1] = b\n    a[:] = 0\n    a[:] = _ALL\n"
    )

    assert [assignment.lineno for assignment in slice_assignments(source)] == [3, 4]


def slice_assignments(path: Path) -> Iterator[ast.Assign]:
    """Assignments to slices in compiled functions, except of a constant."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef) and COMPILED & set(
            map(ast.unparse, function.decorator_list)
        ):
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and writes_slice(node) and not is_constant(node.value):
                    yield node


def writes_slice(assignment: ast.Assign) -> bool:
    return any(
        isinstance(target, ast.Subscript)
        and any(isinstance(part, ast.Slice) for part in ast.walk(target.slice))
        for whole in assignment.targets
        for target in ast.walk(whole)
    )


def is_constant(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.isupper())
