"""Finds an alert in its topic, searching from the newest record backwards."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.range_reader import RangeReader
from app.domain.decision import Alert
from app.domain.transaction import Transaction
from app.errors import InvalidFile

BLOCK_RECORDS = 5_000
"""Records read at a time from each partition; within a block the later record wins."""


class Period(NamedTuple):
    """Bounds on the time of publication, milliseconds since the epoch; None leaves a side open."""

    since_ms: int | None = None
    until_ms: int | None = None


class _Named(msgspec.Struct):
    alert_id: str


class _Carrying(msgspec.Struct):
    transaction: dict[str, Any]


_named, _alert = BoundedDecoder(_Named), BoundedDecoder(Alert).decode
_carrying = BoundedDecoder(_Carrying).decode


def read_alert(data: bytes, event: type[Transaction] = Transaction) -> Alert:
    """Decode a published alert; its transaction is an ``event``. Raises InvalidFile."""
    try:
        alert = _alert(data)
        if event is Transaction:
            return alert
        carried = msgspec.convert(_carrying(data).transaction, event)
        return msgspec.structs.replace(alert, transaction=carried)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidFile(
            f"this is not an alert of this release: {error}. `fraudstream alerts tail --json` prints alerts."
        ) from error


async def find_alert(reader: RangeReader, alert_id: str, period: Period) -> bytes | None:
    """Return the newest record of the alert, None when there is none in the period."""
    async for block in _backwards(reader, period):
        for value in reversed(block):
            if _is(value, alert_id):
                return value
    return None


async def _backwards(reader: RangeReader, period: Period) -> AsyncIterator[list[bytes]]:
    """Yield blocks of values: the newest block of every partition, then the block before it, and so on."""
    left = {partition: await _range(reader, partition, period) for partition in range(reader.partitions)}
    while left := {partition: span for partition, span in left.items() if span[0] < span[1]}:
        for partition, (begin, end) in left.items():
            start = max(begin, end - BLOCK_RECORDS)
            block: list[bytes] = []
            async for records, _ in reader.records(partition, start, end):
                block += [record.value for record in records if record.value is not None]
            yield block
            left[partition] = (begin, start)


async def _range(reader: RangeReader, partition: int, period: Period) -> tuple[int, int]:
    begin, end = await reader.extent(partition)
    if period.since_ms is not None:
        first = await reader.offset_at(partition, period.since_ms)
        begin = end if first is None else max(begin, first)
    if period.until_ms is not None:
        after = await reader.offset_at(partition, period.until_ms)
        end = end if after is None else after
    return begin, end


def _is(value: bytes, alert_id: str) -> bool:
    named = _named.attempt(value)
    return named is not None and named.alert_id == alert_id
