"""Invariants of the topic table."""

from uuid import UUID

import pytest

from app.adapters.kafka.admin import FoundTopic
from app.errors import ConfigurationError
from app.settings import Settings, TopicSettings, WorkerSettings
from app.topics.provisioning import compare
from app.topics.topic_specs import DAY_MS, TopicSpec, profiles_changelog, topic_table


def table(partitions: int = 8, replication_factor: int = 1) -> dict[str, TopicSpec]:
    topics = TopicSettings(partitions=partitions, replication_factor=replication_factor)
    settings = Settings(topics=topics, worker=WorkerSettings(app_id="risk"))
    return {spec.name: spec for spec in topic_table(settings)}


def test_every_stream_has_a_topic() -> None:
    """Otherwise `fraudstream topics ensure` would not create it, and the first send would end the worker."""
    assert set(TopicSettings().names().values()) <= set(table())


@pytest.mark.parametrize("partitions", [1, 8, 24])
def test_all_topics_but_orders_reports_and_lists_have_as_many_partitions_as_the_transactions(
    partitions: int,
) -> None:
    """A worker writes to the partition that it read from. The topic of orders has one, which keeps them in sequence."""
    specs = table(partitions=partitions)

    single = ("control", "worker-reports", "lists")
    assert [specs.pop(f"fraud.{name}.v1").partitions for name in single] == [1, 1, 1]
    assert {partitions} == {spec.partitions for spec in specs.values()}


@pytest.mark.parametrize(("replication_factor", "in_sync"), [(1, 1), (2, 1), (3, 2), (5, 2)])
def test_two_of_three_replicas_must_be_in_sync(replication_factor: int, in_sync: int) -> None:
    specs = table(replication_factor=replication_factor).values()

    assert {(replication_factor, in_sync)} == {
        (spec.replication_factor, spec.min_insync_replicas) for spec in specs
    }


def test_a_dead_letter_can_hold_any_source_record_and_its_headers() -> None:
    source, dead_letters = table()["payments.transactions.v1"], table()["fraud.dead-letters.v1"]

    assert dead_letters.max_message_bytes >= source.max_message_bytes + 64 * 1024


def test_transactions_are_retained_for_the_longest_window_plus_the_allowed_lateness() -> None:
    """Otherwise a profile could not be rebuilt from them."""
    retention_ms = table()["payments.transactions.v1"].retention_ms

    assert retention_ms is not None
    assert retention_ms > 31 * DAY_MS


def test_nothing_of_the_lists_is_ever_deleted_or_compacted() -> None:
    """A decision names an offset of them, and a replay reads the lists as of then."""
    spec = table()["fraud.lists.v1"]
    configs = spec.configs()

    assert [configs[name] for name in ("cleanup.policy", "retention.ms", "retention.bytes")] == [
        "delete",
        "-1",
        "-1",
    ]
    for name, bounded in (("retention.ms", str(10 * 365 * DAY_MS)), ("retention.bytes", str(2**40))):
        found = FoundTopic(
            topic_id=UUID(int=1), partitions=1, replication_factor=1, configs=configs | {name: bounded}
        )
        assert [difference.property for difference in compare(spec, found)] == [name]


def test_the_changelog_is_compacted_after_an_hour_and_never_deleted() -> None:
    configs = table()["risk-customer-profiles-changelog"].configs()

    assert configs["cleanup.policy"] == "compact"
    assert configs["min.compaction.lag.ms"] == "3600000"
    assert "retention.ms" not in configs


def test_the_part_of_the_changelog_that_cannot_be_compacted_is_small() -> None:
    """The active segment holds at most an hour of versions, and only a few large batches."""
    spec = table()["risk-customer-profiles-changelog"]

    assert spec.segment_ms == spec.min_compaction_lag_ms
    assert spec.segment_bytes is not None
    assert 4 * spec.max_message_bytes <= spec.segment_bytes <= 64 * 1024 * 1024


def test_the_changelog_has_the_name_that_faust_gives_it() -> None:
    settings = Settings(worker=WorkerSettings(app_id="risk"))

    assert profiles_changelog(settings) == "risk-customer-profiles-changelog"


def test_every_topic_accepts_writes_with_a_lagging_replica() -> None:
    assert {"false"} == {spec.configs()["unclean.leader.election.enable"] for spec in table().values()}


def test_two_topics_may_not_share_a_name() -> None:
    settings = Settings(topics=TopicSettings(alerts="fraud.decisions.v1"))

    with pytest.raises(ConfigurationError, match=r"2 topics are called fraud\.decisions\.v1"):
        topic_table(settings)
