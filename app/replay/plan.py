"""Chooses the offsets that a replay reads and decides."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.adapters.kafka.range_reader import RangeReader
from app.domain.clock import utc_text
from app.errors import ConfigurationError
from app.replay.replay import Range


class LogPosition(NamedTuple):
    """A position in the log: an offset, or a time by record timestamps. With neither it is the end of the log."""

    offset: int | None = None
    time_ms: int | None = None


async def plan(
    reader: RangeReader,
    partitions: Iterable[int],
    points: tuple[LogPosition, LogPosition],
    finished: Mapping[int, int],
    warm_up_ms: int | None,
) -> list[Range]:
    """Return a range for each partition that holds decided records between the two points.

    ``finished`` holds the committed offsets of the live group: records beyond them are not decided yet. Profiles are
    rebuilt from ``warm_up_ms`` before the range, or from the beginning of the log when it is None. Raises
    ConfigurationError when nothing is to be replayed.
    """
    partitions = list(partitions)
    ranges = [
        await _range(reader, partition, points, finished.get(partition, 0), warm_up_ms)
        for partition in partitions
    ]
    if not (some := [one for one in ranges if one.start < one.end]):
        raise ConfigurationError(
            f"{reader.topic} holds no decided records in this range: {await _held(reader, partitions)}. Check --from, --to and "
            "FRAUDSTREAM_WORKER_APP_ID, which names the group."
        )
    return some


async def _held(reader: RangeReader, partitions: Iterable[int]) -> str:
    """When the first and the last record of the log were sent."""
    times = []
    for partition in partitions:
        begins, ends = await reader.extent(partition)
        if begins < ends:
            times += [
                await reader.timestamp(partition, begins),
                await reader.timestamp(partition, ends - 1),
            ]
    known = [time_ms for time_ms in times if time_ms is not None]
    if not known:
        return "it is empty"
    return f"its records were sent from {_utc(min(known))} to {_utc(max(known))}"


def _utc(time_ms: int) -> str:
    return utc_text(time_ms, "%Y-%m-%dT%H:%M:%SZ")


async def _range(
    reader: RangeReader,
    partition: int,
    points: tuple[LogPosition, LogPosition],
    finished: int,
    warm_up_ms: int | None,
) -> Range:
    begins, ends = await reader.extent(partition)
    start = await _offset(reader, partition, points[0], ends)
    end = min(await _offset(reader, partition, points[1], ends), ends, finished)
    start = max(start, begins)
    read_from = begins
    if warm_up_ms is not None and start < end:
        first_ms = await reader.timestamp(partition, start)
        warm = await reader.offset_at(partition, (first_ms or 0) - warm_up_ms)
        read_from = start if warm is None else max(begins, min(warm, start))
    return Range(partition, read_from, start, end)


async def _offset(reader: RangeReader, partition: int, point: LogPosition, ends: int) -> int:
    if point.offset is not None:
        return point.offset
    if point.time_ms is None:
        return ends
    found = await reader.offset_at(partition, point.time_ms)
    return ends if found is None else found
