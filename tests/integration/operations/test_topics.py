"""Topics on a real broker: created once, compared exactly, never altered."""

import re
from typing import Protocol
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from app.adapters.kafka.admin import NewTopic, connect, topic_ids
from app.errors import ConfigurationError, TopicMismatch
from app.settings import (
    AnalyticsSettings,
    CrmSettings,
    EntitySettings,
    KafkaSettings,
    Settings,
    TopicSettings,
    WorkerSettings,
)
from app.topics import provisioning
from app.topics.topic_specs import topic_table

pytestmark = pytest.mark.integration


class Stack(Protocol):
    @property
    def bootstrap_servers(self) -> str: ...


def fresh(stack: Stack, partitions: int = 2, replication_factor: int = 1) -> Settings:
    """Settings with topics that no other test uses."""
    prefix = f"test-{uuid4().hex[:8]}"
    return Settings(
        kafka=KafkaSettings(bootstrap_servers=stack.bootstrap_servers),
        topics=TopicSettings(partitions=partitions, replication_factor=replication_factor).with_prefix(
            prefix
        ),
        worker=WorkerSettings(app_id=prefix),
        entities=EntitySettings(app_id=f"{prefix}-entities"),
        analytics=AnalyticsSettings(app_id=f"{prefix}-analytics"),
        crm=CrmSettings(app_id=f"{prefix}-crm"),
    )


async def make(settings: Settings, name: str, partitions: int = 2, **configs: str) -> None:
    given = {name.replace("_", "."): value for name, value in configs.items()}
    topic = NewTopic(name=name, partitions=partitions, replication_factor=1, configs=given)
    async with connect(settings.kafka.bootstrap_servers) as admin:
        await admin.create([topic])


async def existing(settings: Settings) -> set[str]:
    names = [spec.name for spec in topic_table(settings)]
    return set(await topic_ids(settings.kafka.bootstrap_servers, names))


async def test_ensure_creates_every_topic_and_then_nothing_differs(stack: Stack) -> None:
    settings = fresh(stack)

    assert [spec.name for spec in topic_table(settings)] == await provisioning.ensure(settings)
    assert await provisioning.check(settings) == []
    await provisioning.require(settings)


async def test_ensure_creates_missing_topics_only(stack: Stack) -> None:
    settings = fresh(stack)
    await provisioning.ensure(settings)
    before = await topic_ids(stack.bootstrap_servers, [settings.topics.alerts])

    assert await provisioning.ensure(settings) == []
    assert before == await topic_ids(stack.bootstrap_servers, [settings.topics.alerts])


async def test_a_check_does_not_create_a_missing_topic(stack: Stack) -> None:
    """Brokers create a topic on a metadata request, with their defaults, unless configured otherwise."""
    settings = fresh(stack)

    await provisioning.check(settings)
    missing = await provisioning.check(settings)

    assert [
        f"{spec.name}: topic: expected present, found missing" for spec in topic_table(settings)
    ] == missing


async def test_differences_are_reported_exactly(stack: Stack) -> None:
    settings = fresh(stack)
    alerts = settings.topics.alerts
    await make(settings, alerts, partitions=3, retention_ms="1000", cleanup_policy="compact")

    reported = [line for line in await provisioning.check(settings) if line.startswith(alerts)]

    assert [
        f"{alerts}: partitions: expected 2, found 3",
        f"{alerts}: cleanup.policy: expected delete, found compact",
        f"{alerts}: retention.ms: expected at least 7776000000 (90 d), found 1000 (1 s)",
        f"{alerts}: max.message.bytes: expected 8388608, found 1048588",
    ] == reported


async def test_a_default_with_the_wanted_value_is_no_difference(stack: Stack) -> None:
    """Cleanup policy, copies in sync, message size, timestamps and elections are the broker's own here."""
    settings = fresh(stack)
    await make(settings, settings.topics.transactions, retention_ms="-1")

    reported = await provisioning.check(settings)

    assert not any(line.startswith(settings.topics.transactions) for line in reported)


async def test_ensure_refuses_a_topic_that_differs_and_creates_nothing(stack: Stack) -> None:
    settings = fresh(stack)
    await make(settings, settings.topics.transactions, partitions=5, retention_ms="-1")

    with pytest.raises(TopicMismatch, match="partitions: expected 2, found 5"):
        await provisioning.ensure(settings)
    assert {settings.topics.transactions} == await existing(settings)


async def test_require_lists_all_differences_and_the_remedy(stack: Stack) -> None:
    settings = fresh(stack)
    await make(settings, settings.topics.transactions, retention_ms="1000")

    with pytest.raises(TopicMismatch) as refused:
        await provisioning.require(settings)
    assert f"--entity-name {settings.topics.transactions} --add-config retention.ms=" in str(refused.value)
    (missing,) = re.findall(r"missing: (.*)", str(refused.value))
    assert settings.topics.decisions in missing
    assert settings.topics.transactions not in missing
    assert 1 == str(refused.value).count("`fraudstream topics ensure`")


async def test_more_replicas_than_brokers_is_an_error_that_names_the_setting(stack: Stack) -> None:
    settings = fresh(stack, replication_factor=7)

    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_TOPICS_REPLICATION_FACTOR=7"):
        await provisioning.ensure(settings)
    assert set() == await existing(settings)


async def test_a_topic_that_was_created_meanwhile_is_accepted(stack: Stack) -> None:
    settings = fresh(stack)

    await make(settings, settings.topics.alerts)
    await make(settings, settings.topics.alerts)

    assert {settings.topics.alerts} == await existing(settings)


async def test_a_topic_name_that_kafka_refuses_is_reported(stack: Stack) -> None:
    settings = fresh(stack)

    with pytest.raises(ConfigurationError, match="invalid topic error"):
        await make(settings, "not a topic")


async def test_a_topic_that_is_deleted_and_created_again_has_another_id(stack: Stack) -> None:
    """Its offsets restart at 0: a profile must not mistake its events for events already applied."""
    settings = fresh(stack)
    alerts = settings.topics.alerts
    await make(settings, alerts)
    before = await topic_ids(stack.bootstrap_servers, [alerts])

    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    await admin.delete_topics([alerts])
    await admin.close()
    await make(settings, alerts)

    assert before[alerts] != (await topic_ids(stack.bootstrap_servers, [alerts]))[alerts]
