"""Whether contestants did the same work: each transaction's score, features and outcome, who was alerted, which entities
were told.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import numpy as np

from app.adapters.serde.fact_codec import FACT
from app.domain.identifiers import digest64
from bench.harness.turn import Turn
from bench.harness.watch import open_topic


class Judged(msgspec.Struct, frozen=True):
    """What of a decision must be equal whoever made it."""

    transaction_id: str
    score: float
    outcome: str
    features: list[float | None]


class _Alerted(msgspec.Struct, frozen=True):
    transaction_id: str


class Told(NamedTuple):
    """An entity, and a transaction that it was told of by its digest."""

    entity: bytes
    digest: bytes
    time_ms: int


class Work(NamedTuple):
    """All that a contestant decided in a turn."""

    decisions: dict[str, Judged]
    alerts: set[str]
    """Transaction ids."""
    told: set[Told]


async def work(turn: Turn) -> Work:
    """Read what was written; of repeats the last one stands."""
    topics = turn.settings().topics
    judged, alerted = msgspec.json.Decoder(Judged), msgspec.json.Decoder(_Alerted)
    decisions = [judged.decode(record.value) async for record in _records(turn, topics.decisions)]
    alerts = [alerted.decode(record.value) async for record in _records(turn, topics.alerts)]
    return Work(
        {each.transaction_id: each for each in decisions},
        {each.transaction_id for each in alerts},
        {_told(record) async for record in _records(turn, topics.entity_activity)},
    )


def require_same(ours: Work, theirs: Work, name: str) -> int:
    """How many decisions were compared. Raises RuntimeError when one of theirs differs from ours, or is not there.

    They may have had fewer events: the first of the same stream.
    """
    wrong = [key for key, judged in theirs.decisions.items() if ours.decisions.get(key) != judged]
    due = ours.alerts & theirs.decisions.keys()
    digests = {digest64(transaction) for transaction in theirs.decisions}
    to_tell = {told for told in ours.told if told.digest in digests}
    if wrong or due != theirs.alerts or to_tell != theirs.told or not theirs.decisions:
        raise RuntimeError(
            f"{name} did other work than ours: {len(wrong)} of {len(theirs.decisions)} decisions differ "
            f"(such as {wrong[:3]}), {len(theirs.alerts)} alerts where {len(due)} are due, "
            f"{len(theirs.told)} entities told where {len(to_tell)} are to be"
        )
    return len(theirs.decisions)


def _told(record: Any) -> Told:
    (fact,) = np.frombuffer(record.value, FACT)
    return Told(record.key, fact["transaction"].tobytes(), int(fact["time_ms"]))


async def _records(turn: Turn, topic: str) -> AsyncIterator[Any]:
    async with open_topic(turn.servers, topic, turn.partitions) as (consumer, assigned):
        ends: dict[Any, int] = await consumer.end_offsets(assigned)
        consumer.assign([partition for partition in assigned if ends[partition]])
        left = sum(ends.values())
        while left:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                left -= len(records)
                for record in records:
                    yield record
