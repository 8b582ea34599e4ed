"""An error of the Kafka client that means a missing right names the right and the remedy."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.connection import ask_again
from app.adapters.kafka.protocol.rights import REMEDY, Operation, named_rights, refused_right
from app.errors import RightMissing

TOPIC, GROUP = TopicAuthorizationFailedError, GroupAuthorizationFailedError
CLUSTER, ID = ClusterAuthorizationFailedError, TransactionalIdAuthorizationFailed
NAMES = st.text("abcXYZ019._-", min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("error", "operation", "right"),
    [
        (TOPIC("t"), "Read", "Read on the topic t"),
        (TOPIC({"u", "t"}), "Read", "Read on the topic t, u"),
        (TOPIC(TopicPartition("t", 3)), "Read", "Read on the topic t"),
        (TOPIC(), "Write", "Write on the topic of-the-caller"),
        (TOPIC(), "Create", "Create on the topic of-the-caller"),
        (GROUP("g"), "Read", "Read on the group g"),
        (ID(), "Write", "Write on the transactional id of-the-caller"),
        (CLUSTER(), "Write", "Write on the topic of-the-caller"),
        (CLUSTER(), "Describe", "Describe on the cluster"),
        (KafkaError(repr(GROUP())), "Read", "Read on the group of-the-caller"),
    ],
)
def test_the_right_and_the_remedy(error: KafkaError, operation: Operation, right: str) -> None:
    text = refused_right(error, operation, "of-the-caller")

    assert text.startswith(f"the brokers refuse {right} (")
    assert text.endswith(REMEDY)


@given(st.sampled_from([TOPIC, GROUP, ID]), NAMES, NAMES)
def test_a_name_in_the_error_is_the_one_that_is_told(kind: type[KafkaError], name: str, callers: str) -> None:
    assert f" {name} ({kind.__name__})" in refused_right(kind(name), "Read", callers)
    assert f" {callers} ({kind.__name__})" in refused_right(kind(), "Read", callers)


@pytest.mark.parametrize(
    "error", [NotLeaderForPartitionError("t"), KafkaError("t"), ValueError(repr(TOPIC()))]
)
def test_other_errors_mean_no_right_and_stay_as_they_are(error: Exception) -> None:
    assert not refused_right(error, "Read", "t")
    with pytest.raises(type(error)) as raised, named_rights("Read", "t"):
        raise error
    assert raised.value is error


async def test_a_refused_request_is_not_taken_for_brokers_that_do_not_answer() -> None:
    async def refused() -> None:
        raise GROUP("g")

    with pytest.raises(RightMissing, match="Read on the group g"):
        await ask_again("127.0.0.1:9092", refused, "Read")
