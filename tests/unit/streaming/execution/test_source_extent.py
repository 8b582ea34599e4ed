"""The ends of the log of transactions: asked for only when a fact names an offset behind them, and once for all that wait."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BrokersUnreachable
from app.processing.chunk import Chunk
from app.processing.source_ends import SourceEnds
from app.streaming.execution.fact_sources import FactPrerequisites
from app.streaming.execution.source_ends_reader import SourceEndsReader
from app.streaming.execution.source_extent import SourceExtent
from tests.unit.kafka.client.fake_broker import END, LIST_OFFSETS, METADATA, FakeBroker
from tests.unit.loops.test_facts import FIELDS, fact

TOPIC_ID = FIELDS["source_topic_id"]


class Reader:
    """Answers with the logs in turn, and fails where there is none."""

    def __init__(self, *answers: SourceEnds | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def read(self) -> SourceEnds:
        self.asked += 1
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise BrokersUnreachable("no broker answers")
        return answer

    async def close(self) -> None: ...


def chunk(offset: int, partition: int = 0, epoch: int = 1, topic_id: int = TOPIC_ID) -> Chunk:
    record = fact(source_offset=offset, source_topic_id=topic_id)._replace(offset=offset)
    return Chunk(partition, [record], epoch)


def prerequisites(*answers: SourceEnds | None) -> tuple[FactPrerequisites, Reader]:
    reader = Reader(*answers)
    return FactPrerequisites(SourceExtent(reader)), reader


LOG = SourceEnds(TOPIC_ID, (10,))


async def test_offsets_within_the_known_log_need_no_answer() -> None:
    needs, reader = prerequisites(LOG)
    assert not needs.are_met(chunk(9))
    assert await needs.request(chunk(9))
    for offset in range(10):
        assert needs.are_met(chunk(offset))
    assert reader.asked == 1


async def test_an_offset_behind_the_known_log_is_asked_for_and_then_judged() -> None:
    needs, reader = prerequisites(LOG, SourceEnds(TOPIC_ID, (20,)))
    await needs.request(chunk(9))
    assert not needs.are_met(chunk(15))
    assert await needs.request(chunk(15))
    forged = chunk(2**62)
    assert not needs.are_met(forged)
    assert await needs.request(forged)
    assert needs.are_met(forged)
    assert reader.asked == 3


async def test_a_forged_offset_does_not_make_later_ones_known() -> None:
    """An answer from before a genuine fact arrived says nothing about it."""
    needs, _ = prerequisites(LOG)
    await needs.request(chunk(2**62))
    assert not needs.are_met(chunk(15))
    assert not needs.are_met(chunk(2**62, epoch=2))


async def test_a_fact_of_an_unknown_topic_asks_for_the_id_of_the_topic_now() -> None:
    needs, reader = prerequisites(LOG, SourceEnds(6, (10,)))
    await needs.request(chunk(9))
    assert not needs.are_met(chunk(0, topic_id=6))
    assert await needs.request(chunk(0, topic_id=6))
    assert needs.are_met(chunk(1, topic_id=6))
    assert reader.asked == 2


async def test_chunks_that_wait_together_share_an_answer() -> None:
    needs, reader = prerequisites(LOG)
    met = await asyncio.gather(*(needs.request(chunk(9, partition)) for partition in range(8)))
    assert (met, reader.asked) == ([True] * 8, 1)


async def test_without_an_answer_the_chunk_waits() -> None:
    needs, _ = prerequisites(None, LOG)
    assert not await needs.request(chunk(9))
    assert not needs.are_met(chunk(9))
    assert await needs.request(chunk(9))


@given(
    st.lists(st.integers(0, 2**63 - 1), max_size=4),
    st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)), max_size=9),
)
def test_a_log_has_the_offsets_before_its_ends_and_no_others(
    ends: list[int], positions: list[tuple[int, int]]
) -> None:
    positions += [(partition, end + near) for partition, end in enumerate(ends) for near in (-1, 0)]
    partitions, offsets = (np.array(column, np.int64) for column in zip(*positions, strict=True)) if positions else (np.zeros(0, np.int64),) * 2  # fmt: skip
    has = [0 <= partition < len(ends) and 0 <= offset < ends[partition] for partition, offset in positions]
    assert (~SourceEnds(1, tuple(ends)).lacks(partitions, offsets)).tolist() == has


@pytest.fixture
async def broker() -> AsyncIterator[FakeBroker]:
    async with FakeBroker() as broker:
        yield broker


async def test_the_brokers_are_asked_on_one_connection(broker: FakeBroker) -> None:
    reader = SourceEndsReader(broker.address, "t")
    for _ in range(3):
        assert await reader.read() == SourceEnds(0, (END,))
    assert broker.asked[LIST_OFFSETS] == 3
    await reader.close()


async def test_a_partition_without_a_leader_is_no_empty_one(broker: FakeBroker) -> None:
    """Its offsets would be refused."""
    reader = SourceEndsReader(broker.address, "t")
    broker.passing_errors = {METADATA: [0, 5, 5], LIST_OFFSETS: [6, 29]}
    assert await reader.read() == SourceEnds(0, (END,))
    await reader.close()


async def test_a_broker_that_ended_is_found_again(broker: FakeBroker) -> None:
    reader = SourceEndsReader(broker.address, "t")
    extent = SourceExtent(reader)
    assert await extent.refresh(lambda: False)
    port = broker.port
    await broker.stop()
    asking = asyncio.create_task(extent.refresh(lambda: False))
    await asyncio.sleep(0.2)
    await broker.start(port)
    assert await asking or await extent.refresh(lambda: False)
    assert extent.ends.ends == (END,)
    await extent.close()
