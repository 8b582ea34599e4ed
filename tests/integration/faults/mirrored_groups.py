"""The groups beside the scoring on a mirror, which docs/operate/disaster-recovery.md starts last."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from aiokafka import TopicPartition

from app.adapters.serde.fact_codec import FACT
from app.features.activity import TRANSACTION
from app.settings import RedisSettings
from tests.activity_format import read_activity
from tests.support import reading
from tests.support.deployment import Deployment
from tests.support.entities import Entities
from tests.support.groups import Groups

HOUR_MS, KEPT_HOURS = 3_600_000, 44 * 24


async def run_groups(
    mirror: Deployment, redis: RedisSettings, lost_ms: int, options: dict[str, str]
) -> dict[str, Any]:
    """Run entities, analytics and crm until they have nothing left to do; compare their results with the mirror's topics."""
    groups, entities = Groups(mirror), Entities(mirror, redis)
    await reset_offsets(mirror, lost_ms)
    workers = [entities.worker(**options), groups.analytics(**options), groups.crm(**options)]
    for worker in workers:
        worker.start()
    await groups.stored()
    await groups.asked()
    await entities.drained()
    for worker in workers:
        assert worker.terminate() == 0, worker.tail()
    assert await groups.on_topic(mirror.settings.topics.decisions) == groups.in_files("decisions")
    return await check_activities(mirror, entities) | await check_questions(groups, lost_ms)


async def reset_offsets(mirror: Deployment, time_ms: int) -> None:
    """Do what `kafka-consumer-groups.sh --reset-offsets --to-datetime` does, for the crm group."""
    settings = mirror.settings
    topics = (settings.topics.alerts, settings.topics.answers)
    async with reading.consumer(mirror.servers, group_id=settings.crm.app_id) as reader:
        assigned = [TopicPartition(topic, number) for topic in topics for number in range(mirror.partitions)]
        reader.assign(assigned)
        ends = await reader.end_offsets(assigned)
        found = await reader.offsets_for_times(dict.fromkeys(assigned, time_ms))
        await reader.commit({tp: ends[tp] if found[tp] is None else found[tp].offset for tp in assigned})


async def check_activities(mirror: Deployment, entities: Entities) -> dict[str, Any]:
    """An entity has counted each transaction once, and once more if both clusters decided it: its facts then differ in their
    source, by which repeats are recognised.
    """
    hours: dict[bytes, dict[tuple[int, int], int]] = defaultdict(dict)
    for record in await mirror.read(mirror.settings.topics.entity_activity):
        (fact,) = np.frombuffer(record.value, FACT)
        assert fact["kind"] == TRANSACTION
        place = int(fact["transaction"]), int(fact["source_topic_id"])
        hours[record.key][place] = -(-int(fact["time_ms"]) // HOUR_MS)
    found = entities.in_redis()
    assert found, "the test needs facts"
    assert found == reading.newest_per_key(await mirror.read(entities.changelog))
    for key, counted in hours.items():
        kept = max(counted.values()) - KEPT_HOURS
        assert dict(read_activity(found[key]).hours) == Counter(
            hour for hour in counted.values() if hour > kept
        )
    both = sum(len(counted) - len({digest for digest, _ in counted}) for counted in hours.values())
    return {"counted_twice_by_entities": both}


async def check_questions(groups: Groups, lost_ms: int) -> dict[str, Any]:
    """Every customer with an alert after ``lost_ms`` was asked, on one cluster or both, and a question asked twice has one id."""
    topics = groups.deployment.settings.topics
    asked: dict[str, set[str]] = defaultdict(set)
    questions = await groups.events(topics.notifications)
    for question in questions:
        asked[question["transaction_id"]].add(question["notification_id"])
    assert all(len(names) == 1 for names in asked.values())
    alerts = [record async for record in groups.deployment.scan(topics.alerts)]
    late = {record.key.decode() for record in alerts if record.timestamp >= lost_ms}
    assert late, "the test needs alerts after the loss"
    assert late <= {question["customer_id"] for question in questions}
    return {"questions": len(questions), "questions_asked_twice": len(questions) - len(asked)}
