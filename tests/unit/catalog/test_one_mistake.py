"""One mistake is one problem, at its place: nothing that depends on a wrong definition is refused as well."""

import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from app.adapters.catalog_file.reader import BUILT_IN, content
from app.catalog.checking.checker import checked
from app.checking.problems import Path

OF_NO_TYPE = date(2026, 1, 1)
"""No key of a catalog is a date."""


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that are neither tables nor arrays."""
    items = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    )
    if items is None:
        yield path
        return
    for key, inner in items:
        yield from leaves(inner, (*path, key))


def parent(data: Any, path: Path) -> Any:
    for step in path[:-1]:
        data = data[step]
    return data


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_value_of_a_wrong_type_is_one_problem_at_its_key(name: str) -> None:
    sound = tomllib.loads(content(name).decode())
    for path in leaves(sound):
        data = deepcopy(sound)
        parent(data, path)[path[-1]] = OF_NO_TYPE

        assert [(found.path, found.message.rpartition(", ")[2]) for found in checked(data).problems] == [
            (path, "not a date or time")
        ]


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_unknown_key_is_one_problem(name: str) -> None:
    sound = tomllib.loads(content(name).decode())
    for path in leaves(sound):
        data = deepcopy(sound)
        table = parent(data, path)
        if isinstance(table, dict):
            table["a key"] = 1
            places = {found.path for found in checked(data).problems}

            assert places == {(*path[:-1], "a key")}


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_missing_key_is_at_most_one_problem_of_its_table(name: str) -> None:
    sound = tomllib.loads(content(name).decode())
    for path in leaves(sound):
        data = deepcopy(sound)
        table = parent(data, path)
        if isinstance(table, dict):
            del table[path[-1]]
            places = [found.path[: len(path) - 1] for found in checked(data).problems]

            assert places in ([], [path[:-1]]), path
