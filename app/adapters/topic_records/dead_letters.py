"""Dead letters as they stand in their topic: the source record as it was, and why it could not be scored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from app.adapters.kafka.records import Headers
from app.adapters.kafka.security import Cluster
from app.adapters.kafka.tail_reader import open_tail_reader

TOPIC_HEADER = "__streams.errors.topic"
"""The first of those that a worker adds behind the record's own."""


class LogPosition(NamedTuple):
    """Where a record stands in its topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter; key, value, timestamp and headers are the source record's."""

    place: LogPosition
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    source_topic: str
    """Empty where the record is no dead letter of ours."""
    source: LogPosition
    code: str
    message: str


class DeadLetters:
    """What stood in the topic when it was opened: letters that come later are another reading's."""

    def __init__(self, reader: Any, ends: dict[Any, int]) -> None:
        self._reader = reader
        self._ends = ends

    async def all(self, since_ms: int | None = None) -> AsyncIterator[DeadLetter]:
        """Partition by partition, in order of offset; those of source records from a time on."""
        async for record in self._reader.until(self._ends, since_ms):
            if since_ms is None or record.timestamp >= since_ms:
                yield read(record)

    async def at(self, place: LogPosition) -> DeadLetter | None:
        """None where none stands (any more)."""
        for partition, end in self._ends.items():
            if partition.partition == place.partition and 0 <= place.offset < end:
                async for record in self._reader.until({partition: place.offset + 1}, start=place.offset):
                    return read(record)
        return None


@asynccontextmanager
async def open_dead_letters(kafka: Cluster, topic: str) -> AsyncIterator[DeadLetters]:
    """Raises ConfigurationError when no broker answers or the topic is missing."""
    async with open_tail_reader(kafka, [topic], from_beginning=True) as reader:
        yield DeadLetters(reader, await reader.ends())


def read(record: Any) -> DeadLetter:
    """The record taken apart. Headers of the same names that the source record had of its own stay with it."""
    headers = list(record.headers)
    names = [name for name, _ in headers]
    added = len(names) - 1 - names[::-1].index(TOPIC_HEADER) if TOPIC_HEADER in names else len(names)
    context = {name: value.decode(errors="replace") for name, value in headers[added:]}
    return DeadLetter(
        place=LogPosition(record.partition, record.offset),
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=headers[:added],
        source_topic=context.get(TOPIC_HEADER, ""),
        source=LogPosition(*(_number(context, f"__streams.errors.{name}") for name in LogPosition._fields)),
        code=context.get("fraud.error.code", ""),
        message=context.get("__streams.errors.message", ""),
    )


def _number(context: dict[str, str], name: str) -> int:
    text = context.get(name, "")
    return int(text) if text.isdecimal() else -1
