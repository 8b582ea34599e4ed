"""Differences between the table and a topic, and the remedies for the operator."""

from uuid import UUID

import pytest

from app.adapters.kafka.admin import FoundTopic
from app.settings import Settings, TopicSettings
from app.topics.provisioning import Difference, compare, described, remedies
from app.topics.topic_specs import topic_table

DECISIONS = topic_table(Settings(topics=TopicSettings(replication_factor=3)))[1]


def found(partitions: int = 8, replication_factor: int = 3, **configs: str) -> FoundTopic:
    """The decisions topic as in the table, with changes; underscores stand for the dots of config names."""
    given = {name.replace("_", "."): value for name, value in configs.items()}
    return FoundTopic(
        topic_id=UUID(int=1),
        partitions=partitions,
        replication_factor=replication_factor,
        configs=DECISIONS.configs() | given,
    )


def test_a_topic_as_in_the_table_has_no_difference() -> None:
    assert compare(DECISIONS, found()) == []


def test_a_missing_topic_is_one_difference() -> None:
    assert [Difference("fraud.decisions.v1", "topic", "present", "missing")] == compare(DECISIONS, None)


@pytest.mark.parametrize(
    ("topic", "line"),
    [
        (found(partitions=4), "partitions: expected 8, found 4"),
        (found(partitions=16), "partitions: expected 8, found 16"),
        (found(replication_factor=1), "replication.factor: expected at least 3, found 1"),
        (found(cleanup_policy="compact"), "cleanup.policy: expected delete, found compact"),
        (found(cleanup_policy="compact,delete"), "cleanup.policy: expected delete, found compact,delete"),
        (found(retention_ms="1"), "retention.ms: expected at least 34560000000 (400 d), found 1"),
        (found(min_insync_replicas="1"), "min.insync.replicas: expected at least 2, found 1"),
        (found(max_message_bytes="9999999"), "max.message.bytes: expected 8388608, found 9999999"),
        (
            found(unclean_leader_election_enable="true"),
            "unclean.leader.election.enable: expected false, found true",
        ),
    ],
)
def test_each_difference_is_named_exactly(topic: FoundTopic, line: str) -> None:
    assert [f"fraud.decisions.v1: {line}"] == [str(difference) for difference in compare(DECISIONS, topic)]


@pytest.mark.parametrize(
    "topic",
    [
        found(retention_ms="-1"),
        found(retention_ms="99999999999"),
        found(replication_factor=6),
        found(min_insync_replicas="3"),
    ],
    ids=["unlimited", "longer", "more copies, as while partitions move", "more in sync"],
)
def test_a_larger_value_than_in_the_table_is_no_difference(topic: FoundTopic) -> None:
    assert compare(DECISIONS, topic) == []


def test_a_config_unknown_to_the_broker_is_a_difference() -> None:
    topic = FoundTopic(topic_id=UUID(int=1), partitions=8, replication_factor=3, configs={})

    assert {"nothing"} == {difference.found for difference in compare(DECISIONS, topic)}


def test_one_command_corrects_all_configs_of_a_topic() -> None:
    differences = compare(DECISIONS, found(retention_ms="1", max_message_bytes="2"))

    (remedy,) = remedies(differences, "broker:9092")

    assert remedy == (
        "kafka-configs.sh --bootstrap-server broker:9092 --alter --entity-type topics "
        "--entity-name fraud.decisions.v1 --add-config retention.ms=34560000000,max.message.bytes=8388608"
    )


@pytest.mark.parametrize("missing", [1, 2, 9])
def test_missing_topics_are_one_line_with_one_remedy(missing: int) -> None:
    differences = [Difference(f"t{number}", "topic", "present", "missing") for number in range(missing)]

    (line,), (remedy,) = described(differences), remedies(differences, "broker:9092")

    assert all(difference.topic in line for difference in differences)
    assert "`fraudstream topics ensure`" in remedy


def test_the_remedy_for_partitions_never_adds_any() -> None:
    (remedy,) = remedies(compare(DECISIONS, found(partitions=4)), "broker:9092")

    assert "FRAUDSTREAM_TOPICS_PARTITIONS" in remedy
    assert "kafka-topics" not in remedy
