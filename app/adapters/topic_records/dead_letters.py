"""Reads the dead letter topic: each record is the unchanged source record with the reason of its rejection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from app.adapters.kafka.records import Headers
from app.adapters.kafka.security import Cluster
from app.adapters.kafka.tail_reader import open_tail_reader

TOPIC_HEADER = "__streams.errors.topic"
"""The first of the headers that a worker appends to the record's own."""
_MOST_DIGITS = 19
"""Of a 64-bit integer. Anyone with the right to write to the topic can state more, and Python refuses more than 4,300."""


class LogPosition(NamedTuple):
    """The partition and offset of a record; -1 where unknown."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter; key, value, timestamp and headers are those of the source record."""

    position: LogPosition
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    source_topic: str
    """Empty where the record was not written by a worker."""
    source: LogPosition
    code: str
    message: str


class DeadLetters:
    """The dead letters that were in the topic when it was opened; later ones are not read."""

    def __init__(self, reader: Any, ends: dict[Any, int]) -> None:
        self._reader = reader
        self._ends = ends

    async def all(self, since_ms: int | None = None) -> AsyncIterator[DeadLetter]:
        """Every dead letter, partition after partition, with a timestamp of ``since_ms`` (ms since the epoch) or later."""
        async for record in self._reader.until(self._ends, since_ms):
            if since_ms is None or record.timestamp >= since_ms:
                yield read(record)

    async def at(self, position: LogPosition) -> DeadLetter | None:
        """The dead letter at a position; None without one, for example after retention."""
        for partition, end in self._ends.items():
            if partition.partition == position.partition and 0 <= position.offset < end:
                async for record in self._reader.until(
                    {partition: position.offset + 1}, start=position.offset
                ):
                    return read(record)
        return None


@asynccontextmanager
async def open_dead_letters(kafka: Cluster, topic: str) -> AsyncIterator[DeadLetters]:
    """The dead letters in ``topic`` now. Raises ConfigurationError when no broker answers or the topic is missing."""
    async with open_tail_reader(kafka, [topic], from_beginning=True) as reader:
        yield DeadLetters(reader, await reader.ends())


def read(record: Any) -> DeadLetter:
    """Parse a record. Headers of the source record stay with it, also those with the names of a worker's headers."""
    headers = list(record.headers)
    names = [name for name, _ in headers]
    added = len(names) - 1 - names[::-1].index(TOPIC_HEADER) if TOPIC_HEADER in names else len(names)
    context = {name: (value or b"").decode(errors="replace") for name, value in headers[added:]}
    return DeadLetter(
        position=LogPosition(record.partition, record.offset),
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
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else -1
