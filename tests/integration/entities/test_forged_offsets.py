"""Facts with source offsets that the topic of transactions does not have: dead letters, and no later fact is taken for a repeat."""

import struct

import pytest

from app.local.state import Stack
from app.traffic.produce import produce_raw
from tests.support import reading
from tests.support.deployment import Deployment
from tests.support.entities import Entities, check_activities, recounted
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

EVENTS = 600
OFFSET_AT = 40
"""Position of the source offset in a fact, docs of app/adapters/serde/fact_codec.py."""


async def test_forged_facts_change_nothing(deployment: Deployment, stack: Stack) -> None:
    """The attack: one fact about each entity, of the offset 2**62, and no later fact of its partition counted."""
    entities, topics = Entities(deployment, stack.redis), deployment.settings.topics
    worker, scorer = entities.worker(), entities.scorer()
    worker.start()
    scorer.start()
    await deployment.produce(list(traffic(EVENTS, 0)))
    await deployment.drained()
    await entities.drained()
    genuine = {record.key: record.value for record in await deployment.read(topics.entity_activity)}
    forged = [
        (key, value[:OFFSET_AT] + struct.pack("<q", 2**62)) for key, value in genuine.items() if key and value
    ]
    await produce_raw(forged, topic=topics.entity_activity, kafka=deployment.servers)

    await deployment.produce(list(traffic(EVENTS, 1)))
    await deployment.drained()
    await entities.drained()
    assert worker.terminate() == 0

    newest = reading.newest_per_key(await deployment.read(entities.changelog))
    check_activities(newest, await recounted(deployment))
    letters = await deployment.read(topics.dead_letters)
    assert {dict(letter.headers)["fraud.error.code"] for letter in letters} == {b"unknown_source"}
    assert len(letters) == len(forged) > 100
