"""The error codes of an answer, wherever it has them: for the whole, a topic, a partition or a group.

A code that passes by itself makes the answer incomplete, so that it must be asked for again: a leader that has moved, a
coordinator that loads. aiokafka's own mark of such errors does not include all that Kafka's protocol guide calls retriable.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka.errors import for_code
from aiokafka.protocol.types import Array, Schema

FIELD = "error_code"
_RETRIABLE = {
    9: "REPLICA_NOT_AVAILABLE",
    13: "NETWORK_EXCEPTION",
    51: "CONCURRENT_TRANSACTIONS",
    72: "LISTENER_NOT_FOUND",
    74: "FENCED_LEADER_EPOCH",
    75: "UNKNOWN_LEADER_EPOCH",
    78: "OFFSET_NOT_AVAILABLE",
    88: "UNSTABLE_OFFSET_COMMIT",
    100: "UNKNOWN_TOPIC_ID",
}
"""Retriable codes that aiokafka does not know or takes for final."""


def refuse_transient(code: int) -> None:
    """Raise the error of a code if it passes by itself: who repeats requests then asks again."""
    error = for_code(code)(_RETRIABLE.get(code, ""))
    error.retriable |= code in _RETRIABLE
    if error.retriable:
        raise error


def refuse_incomplete(response: Any) -> None:
    """Raise the first error of a response that passes by itself."""
    schema: Schema = response.SCHEMA
    for code in _codes(schema, [getattr(response, name) for name in schema.names]):
        refuse_transient(code)


def _codes(schema: Schema, values: Iterable[Any]) -> Iterator[int]:
    for name, kind, value in zip(schema.names, schema.fields, values, strict=True):
        if name == FIELD:
            yield value
        elif isinstance(kind, Schema):
            yield from _codes(kind, value)
        elif isinstance(kind, Array) and isinstance(kind.array_of, Schema):
            for element in value or ():  # null: an empty list
                yield from _codes(kind.array_of, element)
