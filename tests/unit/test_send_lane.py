"""Sends to one partition: one at a time, those that wait together, each told where its last record stands."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.send_lane import SendLane, Sent

BATCH = 3


class Log:
    """A partition that takes batches of BATCH records and leaves a gap behind each, as a transaction would."""

    def __init__(self) -> None:
        self.records: dict[int, str] = {}
        self.requests = 0
        self.refuses = False
        self.open = asyncio.Event()
        self.open.set()

    async def deliver(self, records: Sequence[str]) -> list[Sent]:
        self.requests += 1
        await self.open.wait()
        if self.refuses:
            raise ConnectionError
        sent = []
        for begin in range(0, len(records), BATCH):
            batch, first = records[begin : begin + BATCH], max(self.records, default=-1) + 2
            self.records |= {first + place: record for place, record in enumerate(batch)}
            sent.append(Sent(first, len(batch)))
        return sent


async def held(log: Log, *sends: Coroutine[None, None, int]) -> list[asyncio.Task[int]]:
    """Begun one after another; the first one's answer is missing."""
    log.open.clear()
    tasks = []
    for send in sends:
        tasks.append(asyncio.create_task(send))
        await asyncio.sleep(0.001)
    return tasks


async def test_what_waits_goes_together_and_in_order() -> None:
    log = Log()
    lane = SendLane(log.deliver)
    tasks = await held(log, lane.send(["a"]), lane.send(["b", "c"]), lane.send(["d"]))
    log.open.set()

    offsets = await asyncio.gather(*tasks)

    assert ["a", "b", "c", "d"] == list(log.records.values())
    assert ["a", "c", "d"] == [log.records[offset] for offset in offsets]
    assert log.requests == 2


async def test_nothing_is_not_sent() -> None:
    log = Log()

    assert await SendLane(log.deliver).send([]) == -1
    assert log.requests == 0


async def test_a_failure_reaches_all_that_went_together_and_nobody_else() -> None:
    log = Log()
    lane = SendLane(log.deliver)
    log.refuses = True
    failed = await held(log, lane.send(["a"]), lane.send(["b"]), lane.send(["c"]))
    log.open.set()
    outcomes = await asyncio.gather(*failed, return_exceptions=True)
    log.refuses = False

    offset = await lane.send(["d"])

    assert [ConnectionError] * 3 == list(map(type, outcomes))
    assert {offset: "d"} == log.records


async def test_one_that_is_given_up_leaves_the_others_alone() -> None:
    log = Log()
    lane = SendLane(log.deliver)
    first, second, third = await held(log, lane.send(["a"]), lane.send(["b"]), lane.send(["c"]))
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second
    log.open.set()

    assert ["a", "c"] == [log.records[await task] for task in (first, third)]


@pytest.mark.parametrize("pauses", [0, 1, 3])
@given(st.lists(st.lists(st.text(max_size=2), max_size=5), max_size=8))
def test_every_record_arrives_once_and_each_send_is_told_of_its_last(
    pauses: int, sends: list[list[str]]
) -> None:
    async def run() -> tuple[Log, list[int]]:
        log = Log()
        lane, tasks = SendLane(log.deliver), []
        for records in sends:
            tasks.append(asyncio.create_task(lane.send(records)))
            for _ in range(pauses):
                await asyncio.sleep(0)
        return log, await asyncio.gather(*tasks)

    log, offsets = asyncio.run(run())

    assert [record for records in sends for record in records] == list(log.records.values())
    for records, offset in zip(sends, offsets, strict=True):
        assert (records[-1] if records else None) == log.records.get(offset)
