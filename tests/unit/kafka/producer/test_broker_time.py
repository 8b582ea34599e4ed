"""The brokers' time in their answers, and records that they refuse for theirs."""

import time

import pytest
from aiokafka.errors import InvalidTimestampError

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord
from app.errors import ClockWrong, SendFailed
from app.settings import KafkaSettings
from app.streaming.monitoring.clock_watch import ClockWatch
from tests.unit.kafka.producer.fake_client import Ids, Producer


async def test_the_brokers_time_is_passed_on_where_a_topic_stores_it(producer: Producer) -> None:
    """The claim of a changelog partition tells it before the first decision."""
    times: list[int] = []
    sender = BatchProducer(KafkaSettings(), lambda _, broker_ms: times.append(broker_ms))
    sender._producer, sender._ids = producer, Ids()
    producer.append_times["changelog"] = 1_760_000_000_000

    await sender.send("decisions", 0, [OutRecord(b"k", b"v")])
    assert times == []
    await sender.claim("changelog", [0])
    await sender.stop()

    assert times == [1_760_000_000_000]


async def test_a_wrong_clock_fails_the_claim(producer: Producer) -> None:
    watch = ClockWatch(60.0, time.time, time.monotonic)
    sender = BatchProducer(KafkaSettings(), watch.observe)
    sender._producer, sender._ids = producer, Ids()
    producer.append_times["changelog"] = round(time.time() * 1000) - 3_600_000

    with pytest.raises(ClockWrong, match="ahead of the brokers"):
        await sender.claim("changelog", [0])
    await sender.stop()


async def test_a_refused_timestamp_names_the_clock(sender: BatchProducer, producer: Producer) -> None:
    producer.refusal = InvalidTimestampError
    with pytest.raises(SendFailed, match="Synchronize the clocks"):
        await sender.send("decisions", 0, [OutRecord(b"k", b"v")])
