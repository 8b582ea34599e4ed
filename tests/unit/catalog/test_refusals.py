"""A wrong catalog is refused with all of its mistakes, each with line, key and remedy; every message of the source has a case."""

import ast
import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from app.checking.table import Table
from tests.support.paths import REPOSITORY
from tests.unit.catalog.cases import BEYOND, HEAD, Case, refused

APP = REPOSITORY / "app"
REFUSED = refused()
CASES = [*REFUSED, *BEYOND]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.said[0][:60]}-{n}" for n, case in enumerate(CASES)])
def test_a_wrong_catalog_is_refused_with_all_its_mistakes(case: Case) -> None:
    assert case.found == case.said


def test_no_text_is_in_the_corpus_twice() -> None:
    assert len({(case.text, case.whole) for case in REFUSED}) == len(REFUSED) >= 80


def test_the_head_of_the_cases_is_sound() -> None:
    assert Case(HEAD, (), whole=True).found == ()


def test_every_message_of_the_source_has_a_case() -> None:
    assert set(_sites()) == _refusing(CASES)


def _sites() -> Iterator[str]:
    """Every call of ``refuse``, as file and line."""
    for path in (*(APP / "catalog" / "checking").glob("*.py"), APP / "checking" / "table.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "refuse"
            ):
                yield f"{path.name}:{node.lineno}"


def _refusing(cases: list[Case]) -> set[str]:
    """The calls of ``refuse`` that the cases make."""
    found: set[str] = set()

    def record(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is Table.refuse.__code__ and frame.f_back is not None:
            found.add(f"{frame.f_back.f_code.co_filename.rpartition('/')[2]}:{frame.f_back.f_lineno}")

    sys.setprofile(record)
    try:
        for case in cases:
            assert case.found
    finally:
        sys.setprofile(None)
    return found
