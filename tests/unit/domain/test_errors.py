"""The page of errors: its tree is the truth, and every leaf tells an operator what to do."""

import inspect
import re

import pytest

from app import errors
from app.cli import exit_code
from app.errors import (
    ConfigurationError,
    FraudstreamError,
    InvalidEvent,
    InvalidReason,
    SendFailed,
    TopicMismatch,
)

DEFINED = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, FraudstreamError)
]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)(?:  |$)", line)
        if found:
            depth = len(found[1]) // 4 + ("──" in line)
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else "Exception"

    assert {kind.__name__: kind.__bases__[0].__name__ for kind in DEFINED} == drawn


@pytest.mark.parametrize("kind", DEFINED)
def test_every_error_says_what_it_means(kind: type[FraudstreamError]) -> None:
    assert inspect.cleandoc(kind.__doc__ or "").endswith(".")


def test_an_invalid_event_tells_its_reason_and_its_detail() -> None:
    error = InvalidEvent(InvalidReason.KEY_MISMATCH, "the record key is not the customer_id")

    assert str(error) == "key_mismatch: the record key is not the customer_id"


def test_a_wrong_configuration_is_a_matter_of_usage_and_all_else_is_failure() -> None:
    assert [2, 2, 1] == [exit_code(kind("x")) for kind in (ConfigurationError, TopicMismatch, SendFailed)]
