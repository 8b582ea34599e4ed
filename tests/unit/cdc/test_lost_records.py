"""The copy of the reference tables where retention deleted records that its group has not read."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata

from app.adapters.kafka.commit_notes import CommitNote
from app.errors import RecordsLost
from app.reference.lost_records import LossGuard

TP = TopicPartition("bank.customers.v1", 0)
FIRST = 10
"""The first offset of the log."""


class Client:
    """The Kafka client, which has committed ``committed`` and fails a fetch out of range as the real one does."""

    def __init__(self, committed: OffsetAndMetadata | None = None) -> None:
        self._coordinator = self
        self.committed = committed
        self.position = None if committed is None else committed.offset
        self.first, self.end = FIRST, 20
        self.refusing: Exception | None = None

    async def getmany(self, **_: int) -> dict[TopicPartition, list[Any]]:
        if self.position is None:
            raise NoOffsetForPartitionError(TP)
        if not self.first <= self.position <= self.end:
            raise OffsetOutOfRangeError({TP: self.position})
        return {TP: list(range(self.position, self.end))}

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self.refusing:
            raise self.refusing
        return dict.fromkeys(partitions, self.first)

    def assignment(self) -> set[TopicPartition]:
        return {TP}

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.position = offset

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self.committed = offsets[TP]

    async def fetch_committed_offsets(self, _: object) -> dict[TopicPartition, OffsetAndMetadata]:
        return {TP: self.committed or OffsetAndMetadata(-1, "")}

    @property
    def noted_loss(self) -> int:
        return CommitNote.parse(self.committed.metadata).lost_records if self.committed else 0


async def fetch(guard: LossGuard, client: Client) -> int:
    """The number of fetched records."""
    return sum(map(len, (await guard.fetch(client, 0, 100)).values()))


async def test_lost_records_end_the_command_with_number_partition_and_remedy() -> None:
    client = Client(OffsetAndMetadata(7, ""))

    with pytest.raises(RecordsLost) as refused:
        await fetch(LossGuard("copy", "stop"), client)

    message = str(refused.value)
    assert "deleted 3 records that group copy" in message
    assert "3 of bank.customers.v1-0, which begins at offset 10" in message
    assert "FRAUDSTREAM_WORKER_WHEN_RECORDS_LOST=continue" in message
    assert client.committed == (7, "")


async def test_a_group_that_may_continue_does_and_notes_the_loss_with_every_commit() -> None:
    client, guard = Client(OffsetAndMetadata(7, "")), LossGuard("copy", "continue")

    assert [0, 10] == [await fetch(guard, client), await fetch(guard, client)]
    assert client.committed is not None
    assert (client.committed.offset, client.noted_loss) == (FIRST, 3)
    await guard.commit(client, {TP: 20})
    assert client.noted_loss == 3

    restarted = LossGuard("copy", "stop")  # what was passed is passed
    assert await fetch(restarted, client) == 10
    await restarted.commit(client, {TP: 20})
    assert client.noted_loss == 3


async def test_losses_while_it_runs_are_added() -> None:
    client, guard = Client(OffsetAndMetadata(7, "")), LossGuard("copy", "continue")
    await fetch(guard, client)
    client.first = 15

    assert [0, 5] == [await fetch(guard, client), await fetch(guard, client)]
    assert client.noted_loss == 3 + 5


@pytest.mark.parametrize("committed", [None, OffsetAndMetadata(99, "")], ids=["new group", "shorter log"])
async def test_no_record_is_lost_without_a_commit_before_the_first(
    committed: OffsetAndMetadata | None,
) -> None:
    client, guard = Client(committed), LossGuard("copy", "stop")

    assert [0, 10] == [await fetch(guard, client), await fetch(guard, client)]
    await guard.commit(client, {TP: 20})
    assert client.committed == (20, "")


async def test_it_asks_again_while_no_broker_answers() -> None:
    client, guard = Client(), LossGuard("copy", "stop")
    client.refusing = KafkaConnectionError()
    assert await fetch(guard, client) == 0

    client.refusing = None
    assert [0, 10] == [await fetch(guard, client), await fetch(guard, client)]


async def test_the_notes_are_read_again_after_a_rebalance() -> None:
    """Another member noted a loss meanwhile."""
    client, guard = Client(OffsetAndMetadata(12, "")), LossGuard("copy", "continue")
    await guard.commit(client, {TP: 13})
    client.committed = OffsetAndMetadata(14, str(CommitNote().after_loss(4, 1)))

    await guard.on_partitions_revoked({TP})
    await guard.commit(client, {TP: 15})
    assert client.noted_loss == 4
