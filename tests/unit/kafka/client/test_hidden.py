"""What brokers leave out of their lists because a right is missing is found, and its right named."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka.protocol.hidden import Expected, hidden
from tests.unit.kafka.client.fake_broker import DESCRIBE_GROUPS, DESCRIBE_QUORUM, METADATA, FakeBroker

EXPECTED = Expected(topics=("t",), groups=("g",))


async def found(broker: FakeBroker, listed: set[str]) -> list[str]:
    async with kafka_connection.connect(broker.address) as brokers:
        return [str(right) for right in await hidden(brokers.state, listed, EXPECTED)]


async def test_nothing_is_missing_where_everything_is_shown() -> None:
    async with FakeBroker() as broker:
        assert await found(broker, {"t"}) == []


@pytest.mark.parametrize(
    ("request_key", "code", "right"),
    [
        (DESCRIBE_QUORUM, ClusterAuthorizationFailedError.errno, "Describe on the cluster: the controller"),
        (METADATA, TopicAuthorizationFailedError.errno, "Describe on the topic t: its copies"),
        (DESCRIBE_GROUPS, GroupAuthorizationFailedError.errno, "Describe on the group g: its members"),
    ],
)
async def test_each_refusal_names_its_right(request_key: int, code: int, right: str) -> None:
    async with FakeBroker() as broker, kafka_connection.connect(broker.address) as brokers:
        broker.passing_errors[request_key] = [code]
        missing = [str(each) for each in await hidden(brokers.state, set(), EXPECTED)]

    assert len(missing) == 1
    assert missing[0].startswith(right)


async def test_a_topic_that_does_not_exist_is_no_matter_of_rights() -> None:
    async with FakeBroker() as broker, kafka_connection.connect(broker.address) as brokers:
        broker.passing_errors[METADATA] = [UnknownTopicOrPartitionError.errno]
        assert await hidden(brokers.state, set(), Expected(topics=("t",))) == []
