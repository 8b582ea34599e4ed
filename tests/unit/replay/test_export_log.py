"""The log exported as files: partitions merged in order, invalid records left out, the last label of each transaction."""

import asyncio
from collections.abc import AsyncIterator
from itertools import accumulate
from pathlib import Path

import pyarrow.parquet
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.range_reader import Extent, LogRecord
from app.adapters.serde.json_codec import encode_event
from app.domain.acceptance import Acceptance
from app.domain.label import Label, LabelSource
from app.domain.transaction import Transaction
from app.features.window import Bounds
from app.replay.export_log import Logs, export, in_order
from app.replay.refold import FoldRules

EVENT_MS = 1_760_000_000_000
NOW_MS = EVENT_MS + 1_000_000
SLICES = st.lists(st.lists(st.integers(0, 50), max_size=4), max_size=4)


def transaction(log: int, number: int, time: int) -> Transaction:
    return Transaction(
        transaction_id=f"{log}-{number}",
        customer_id="c",
        terminal_id="m",
        event_time=EVENT_MS + time,
        amount_minor=1,
        currency="EUR",
    )


async def slices(found: list[list[Transaction]]) -> AsyncIterator[list[Transaction]]:
    for each in found:
        yield each


@given(st.lists(SLICES, min_size=1, max_size=4))
def test_partitions_are_merged_by_event_time_and_keep_their_own_order(times: list[list[list[int]]]) -> None:
    """The merge equals a sort of all records by the highest event time that their log has reached."""
    logs = [
        [
            [transaction(log, 10 * at + number, time) for number, time in enumerate(slice_)]
            for at, slice_ in enumerate(of_log)
        ]
        for log, of_log in enumerate(times)
    ]

    async def merged() -> list[str]:
        return [one.transaction_id async for one in in_order([slices(found) for found in logs])]

    keys = []
    for log, found in enumerate(logs):
        flat = [one for slice_ in found for one in slice_]
        reached = accumulate((one.event_time for one in flat), max)
        keys += [
            (time, log, number, one.transaction_id)
            for number, (time, one) in enumerate(zip(reached, flat, strict=True))
        ]
    assert asyncio.run(merged()) == [name for *_, name in sorted(keys)]


class Log:
    """A topic of two partitions, in memory."""

    topic, topic_id, partitions = "a-log", 1, 2

    def __init__(self, *partitions: list[tuple[bytes, bytes]]) -> None:
        self._partitions = [
            [
                LogRecord(self.topic, partition, offset, NOW_MS, key, value, ())
                for offset, (key, value) in enumerate(records)
            ]
            for partition, records in enumerate(partitions)
        ]

    async def extent(self, partition: int) -> Extent:
        return Extent(0, len(self._partitions[partition]))

    async def offset_at(self, partition: int, time_ms: int) -> int | None:
        return 0 if time_ms <= NOW_MS and self._partitions[partition] else None

    async def records(
        self, partition: int, start: int, end: int
    ) -> AsyncIterator[tuple[list[LogRecord], int]]:
        yield self._partitions[partition][start:end], end


def sent_label(number: int, reported: int, *, is_fraud: bool) -> tuple[bytes, bytes]:
    """A label record, reported ``reported`` ms after its transaction."""
    about = transaction(0, number, number)
    known = Label(
        transaction_id=about.transaction_id,
        customer_id="c",
        terminal_id="m",
        event_time=about.event_time,
        is_fraud=is_fraud,
        source=LabelSource.ANALYST,
        reported_at=about.event_time + reported,
    )
    return b"m", encode_event(known)


def test_files_hold_accepted_transactions_with_the_last_reported_label(tmp_path: Path) -> None:
    sent = [(b"c", encode_event(transaction(0, number, number))) for number in range(4)]
    refused = [(b"c", b"{}"), (b"another", sent[0][1])]
    labels = [
        sent_label(0, 5, is_fraud=True),
        sent_label(1, 9, is_fraud=False),
        sent_label(1, 5, is_fraud=True),
        sent_label(2, 5, is_fraud=True),
        sent_label(2, 9, is_fraud=False),
        sent_label(3, 5, is_fraud=False),
        sent_label(3, 5, is_fraud=True),
        (b"m", b"no label"),
    ]
    logs = Logs(Log(sent[:1] + refused, sent[1:]), Log(labels, []))  # type: ignore[arg-type]  # the part of a log that export reads
    rules = FoldRules(Acceptance(), Bounds(1, 1), by_murmur2=False)

    exported = asyncio.run(export(logs, 0, rules, tmp_path))

    history = pyarrow.parquet.read_table(exported.transactions).to_pydict()
    assert [f"0-{number}" for number in range(4)] == history["transaction_id"]
    assert [True, False, False, True] == history["is_fraud"]
    assert 4 == exported.rows
    known = pyarrow.parquet.read_table(exported.labels).to_pydict()
    assert [0, 1, 1, 2, 2, 3, 3] == [int(name.removeprefix("0-")) for name in known["transaction_id"]]
    assert EVENT_MS + 1 + 9 == known["reported_at"][1]
