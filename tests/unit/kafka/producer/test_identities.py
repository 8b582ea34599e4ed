"""The identity under which batches are sent: sequence numbers, claims of partitions, and what a former owner may not send."""

from typing import Any, cast

import pytest
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import TopicBatch, claimed_topic_id
from app.errors import Fenced, SendFailed
from tests.unit.kafka.producer.fake_client import SMALL, Producer


async def test_batches_of_a_partition_have_consecutive_sequence_numbers(
    sender: BatchProducer, producer: Producer
) -> None:
    await sender.send_all([TopicBatch("a", 0, [SMALL] * 5), TopicBatch("a", 1, [SMALL])])
    await sender.send("a", 0, [SMALL])

    assert producer.identities == [(1, 0, 0), (1, 0, 0), (1, 0, 3), (1, 0, 5)]


async def test_a_claim_is_the_first_record_of_a_new_epoch(sender: BatchProducer, producer: Producer) -> None:
    await sender.claim("changelog", [2])
    await sender.send("changelog", 2, [SMALL])
    await sender.send("changelog", 3, [SMALL])
    await sender.claim("changelog", [2])

    assert producer.identities == [(1_000, 1, 0), (1_000, 1, 1), (1, 0, 0), (1_000, 2, 0)]


async def test_a_claim_names_the_id_of_its_topic(sender: BatchProducer, producer: Producer) -> None:
    """A copy of the topic, which has another id, is recognised by it."""
    sender.name_in_claims("changelog", "1a2b")
    await sender.claim("changelog", [2])
    await sender.send("changelog", 2, [SMALL])

    assert ["1a2b", ""] == [claimed_topic_id(headers) for headers in producer.headers]


async def test_outputs_are_sent_under_the_claim_of_their_partition(
    sender: BatchProducer, producer: Producer
) -> None:
    sender.share_claims("changelog", ["decisions"])
    await sender.claim("changelog", [2])
    await sender.send_all([TopicBatch("decisions", 2, [SMALL]), TopicBatch("decisions", 3, [SMALL])])

    assert producer.identities == [(1_000, 1, 0), (1_000, 1, 0), (1, 0, 0)]


async def test_a_renewed_claim_begins_a_new_epoch_without_a_record(
    sender: BatchProducer, producer: Producer
) -> None:
    await sender.claim("changelog", [2])
    await sender.renew_claims()
    assert len(producer.identities) == 1

    await sender.send("changelog", 2, [SMALL])
    assert producer.identities[1:] == [(1_000, 2, 0)]


async def test_a_claim_that_another_worker_has_taken_over_is_not_renewed(sender: BatchProducer) -> None:
    await sender.claim("changelog", [2])
    await cast(Any, sender)._ids.take_over("changelog-2")

    with pytest.raises(Fenced, match="changelog-2"):
        await sender.renew_claims()


async def test_a_partition_that_another_worker_has_claimed_is_named(
    sender: BatchProducer, producer: Producer
) -> None:
    producer.refusal = ProducerFenced

    with pytest.raises(Fenced, match="changelog-3"):
        await sender.send("changelog", 3, [SMALL])


async def test_after_a_failed_send_the_next_one_has_a_new_identity(
    sender: BatchProducer, producer: Producer
) -> None:
    """The failed batch may be missing in its partition, which would refuse the sequence numbers behind it."""
    producer.refusal = MessageSizeTooLargeError
    with pytest.raises(SendFailed):
        await sender.send("decisions", 3, [SMALL])
    producer.refusal = None
    await sender.send("decisions", 3, [SMALL])

    assert producer.identities == [(2, 0, 0)]
