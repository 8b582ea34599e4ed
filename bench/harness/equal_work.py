"""Checks that contestants did the same work: equal scores, features and outcomes, the same alerts and facts of entities."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import numpy as np

from app.adapters.serde.fact_codec import FACT
from app.domain.identifiers import digest64
from bench.harness.deployment import BenchDeployment
from bench.harness.topic_progress import open_topic


class ComparedDecision(msgspec.Struct, frozen=True):
    """The fields of a decision that must be equal for all contestants."""

    transaction_id: str
    score: float
    outcome: str
    features: list[float | None]


class _Alerted(msgspec.Struct, frozen=True):
    transaction_id: str


class EntityFact(NamedTuple):
    """A fact sent to an entity: a transaction by its digest."""

    entity: bytes
    digest: bytes
    time_ms: int


class Work(NamedTuple):
    """The output of a contestant in a turn."""

    decisions: dict[str, ComparedDecision]
    alerts: set[str]
    """Transaction ids."""
    facts: set[EntityFact]


async def work(deployment: BenchDeployment) -> Work:
    """Read the output topics; of repeated records the last one counts."""
    topics = deployment.settings().topics
    decision_decoder, alert_decoder = msgspec.json.Decoder(ComparedDecision), msgspec.json.Decoder(_Alerted)
    decisions = [
        decision_decoder.decode(record.value) async for record in _records(deployment, topics.decisions)
    ]
    alerts = [alert_decoder.decode(record.value) async for record in _records(deployment, topics.alerts)]
    return Work(
        {each.transaction_id: each for each in decisions},
        {each.transaction_id for each in alerts},
        {_fact(record) async for record in _records(deployment, topics.entity_activity)},
    )


def require_equal(ours: Work, theirs: Work, name: str) -> int:
    """Return the number of decisions compared. Raises RuntimeError when the output of a contestant differs from ours.

    A contestant may have processed fewer events, the first of the same stream.
    """
    wrong = [key for key, decision in theirs.decisions.items() if ours.decisions.get(key) != decision]
    due = ours.alerts & theirs.decisions.keys()
    digests = {digest64(transaction) for transaction in theirs.decisions}
    expected_facts = {each for each in ours.facts if each.digest in digests}
    if wrong or due != theirs.alerts or expected_facts != theirs.facts or not theirs.decisions:
        raise RuntimeError(
            f"the output of {name} differs from ours: {len(wrong)} of {len(theirs.decisions)} decisions differ "
            f"(such as {wrong[:3]}), {len(theirs.alerts)} alerts instead of {len(due)}, "
            f"{len(theirs.facts)} facts of entities instead of {len(expected_facts)}"
        )
    return len(theirs.decisions)


def _fact(record: Any) -> EntityFact:
    (fact,) = np.frombuffer(record.value, FACT)
    return EntityFact(record.key, fact["transaction"].tobytes(), int(fact["time_ms"]))


async def _records(deployment: BenchDeployment, topic: str) -> AsyncIterator[Any]:
    async with open_topic(deployment.servers, topic, deployment.partitions) as (consumer, assigned):
        ends: dict[Any, int] = await consumer.end_offsets(assigned)
        consumer.assign([partition for partition in assigned if ends[partition]])
        left = sum(ends.values())
        while left:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                left -= len(records)
                for record in records:
                    yield record
