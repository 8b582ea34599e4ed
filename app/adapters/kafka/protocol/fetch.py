"""Reads Kafka's Fetch responses by the names of their fields, whose positions depend on the version.

aiokafka's own ``to_object`` fails at a list that is null, as that of the aborted transactions is without isolation.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka.protocol.types import Array, Schema


class FetchAnswer(NamedTuple):
    """The answer about one partition."""

    topic: str
    partition: int
    error_code: int
    high_watermark: int
    last_stable_offset: int
    """The first offset of the oldest open transaction, or the high watermark. Records from it on are not returned to readers
    of committed records."""
    aborted: Sequence[tuple[int, int]]
    """Producer id and first offset of the aborted transactions that overlap ``data``."""
    data: bytes
    """Whole batches."""


def fetch_answers(response: Any) -> Iterator[FetchAnswer]:
    """The answers of a response; none while the broker throttles the client."""
    names = _element(_element(response.SCHEMA, "topics"), "partitions").names
    for topic, partitions in response.topics:
        for partition in partitions:
            answer = dict(zip(names, partition, strict=True))
            yield FetchAnswer(
                topic=topic,
                partition=answer["partition"],
                error_code=answer["error_code"],
                high_watermark=answer["highwater_offset"],
                last_stable_offset=answer["last_stable_offset"],
                aborted=answer["aborted_transactions"] or (),
                data=answer["message_set"],
            )


def _element(schema: Schema, name: str) -> Schema:
    """The elements of an array in a schema."""
    field = schema.fields[schema.names.index(name)]
    if not (isinstance(field, Array) and isinstance(field.array_of, Schema)):
        raise TypeError(f"{name} is no array of structures")
    return field.array_of
