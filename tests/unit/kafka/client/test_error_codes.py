"""An error that passes is found wherever a response has a code, in every response that is asked for again."""

from typing import Any

import pytest
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import (
    CreateTopicsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
)
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.types import Array, Schema

from app.adapters.kafka.protocol import transactions
from app.adapters.kafka.protocol.error_codes import FIELD, refuse_incomplete, refuse_transient

NO_ERROR, LOADING, UNAUTHORIZED = 0, 14, 29
OWN = (
    type(transactions.describe_producers("t", 0)),
    type(transactions.describe_transactions(["name"])),
    type(transactions.transactions_of_producer(1)),
)
RESPONSES = [
    version.RESPONSE_TYPE
    for request in (
        *(CreateTopicsRequest, DescribeConfigsRequest, DescribeGroupsRequest, ListGroupsRequest),
        *(OffsetFetchRequest, FetchRequest, OffsetRequest, *OWN),
    )
    for version in request._CLASSES
]


class Filler:
    """Fills a schema, each array with one element; the code at ``position`` is ``code``, the others mean no error."""

    def __init__(self, code: int, position: int) -> None:
        self._code = code
        self._position = position
        self.codes = 0

    def filled(self, schema: Schema) -> list[Any]:
        return [self._value(name, kind) for name, kind in zip(schema.names, schema.fields, strict=True)]

    def _value(self, name: str, kind: Any) -> Any:
        if name == FIELD:
            self.codes += 1
            return self._code if self.codes - 1 == self._position else NO_ERROR
        if isinstance(kind, Schema):
            return tuple(self.filled(kind))
        if isinstance(kind, Array):
            return [tuple(self.filled(kind.array_of))] if isinstance(kind.array_of, Schema) else []
        return None


def response(kind: Any, code: int = NO_ERROR, position: int = 0) -> tuple[Any, int]:
    """A response, and the number of codes in it."""
    filler = Filler(code, position)
    return kind(*filler.filled(kind.SCHEMA)), filler.codes


@pytest.mark.parametrize("kind", RESPONSES, ids=lambda kind: kind.__name__)
def test_every_code_of_a_response_counts(kind: Any) -> None:
    complete, codes = response(kind)
    refuse_incomplete(complete)
    assert codes or kind.__name__ == "ListGroupsResponse"

    for position in range(codes):
        with pytest.raises(KafkaError) as raised:
            refuse_incomplete(response(kind, LOADING, position)[0])
        assert raised.value.retriable
        refuse_incomplete(response(kind, UNAUTHORIZED, position)[0])


@pytest.mark.parametrize("kind", RESPONSES, ids=lambda kind: kind.__name__)
def test_a_null_array_has_no_codes(kind: Any) -> None:
    refuse_incomplete(kind(*(None if isinstance(field, Array) else NO_ERROR for field in kind.SCHEMA.fields)))


@pytest.mark.parametrize("code", [3, 5, 6, 7, 9, 13, 14, 15, 16, 41, 51, 56, 72, 74, 75, 78, 88, 100])
def test_what_kafka_calls_retriable_passes(code: int) -> None:
    with pytest.raises(KafkaError) as raised:
        refuse_transient(code)
    assert raised.value.retriable


@pytest.mark.parametrize("code", [-1, 0, 1, 17, 29, 30, 35, 36, 53, 90])
def test_what_is_final_is_handed_over(code: int) -> None:
    refuse_transient(code)
