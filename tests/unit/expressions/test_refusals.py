"""What is no expression is refused, with line, column and a message; every message of the source has a case."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.paths import REPOSITORY
from tests.unit.expressions.cases import LONG, Case, hostile

HOSTILE = hostile()
CASES = [*HOSTILE, *LONG]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.message}-{number}" for number, case in enumerate(CASES)])
def test_a_text_that_is_no_expression_is_refused_at_its_place(case: Case) -> None:
    assert case.expected == str(case.refusal())


def test_no_text_is_in_the_corpus_twice() -> None:
    assert len({case.text for case in HOSTILE}) == len(HOSTILE) >= 200


def test_every_message_of_the_source_has_a_case() -> None:
    raised = {_site(case) for case in CASES}

    assert raised == set(_sites())


def _sites() -> Iterator[str]:
    """Every statement that raises a refusal, as file and line."""
    for path in (REPOSITORY / "app" / "expressions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and "refusal(" in ast.unparse(node):
                yield f"{path.name}:{node.lineno}"


def _site(case: Case) -> str:
    trace = getattr(case.refusal(), "__traceback__", None)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        "" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    )
