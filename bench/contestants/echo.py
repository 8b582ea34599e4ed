"""The lower bound: copies the bytes of every transaction to the decisions: `python -m bench.contestants.echo`.

A plain aiokafka consumer and producer with whole batches per partition. At-least-once like the others: records are
acknowledged before their offsets are committed.
"""

import asyncio
import signal
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.settings import Settings

MAX_RECORDS = 8_000
BATCH_BYTES = 1024 * 1024
POLL_MS = 200


async def run(settings: Settings) -> None:
    """Copy until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    kafka, topics = settings.kafka, settings.topics
    consumer = AIOKafkaConsumer(
        topics.transactions,
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=settings.worker.app_id,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers, acks="all", max_batch_size=BATCH_BYTES
    )
    async with consumer, producer:
        await _copy(consumer, producer, topics.decisions, stop, kafka.commit_interval_seconds)


async def _copy(
    consumer: Any, producer: Any, target: str, stop: asyncio.Event, commit_seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    done: dict[TopicPartition, int] = {}
    commit_at = loop.time() + commit_seconds
    while not stop.is_set():
        fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
        sent = [
            acknowledgement
            for tp, records in fetched.items()
            for acknowledgement in await _send(producer, target, tp, records)
        ]
        await asyncio.gather(*sent)
        done |= {tp: records[-1].offset + 1 for tp, records in fetched.items()}
        if done and loop.time() > commit_at:
            await consumer.commit(done)
            done, commit_at = {}, loop.time() + commit_seconds


async def _send(producer: Any, target: str, tp: TopicPartition, records: list[Any]) -> list[Any]:
    batch, sent = producer.create_batch(), []
    for record in records:
        if batch.append(key=record.key, value=record.value, timestamp=None) is None:
            sent.append(await producer.send_batch(batch, target, partition=tp.partition))
            batch = producer.create_batch()
            batch.append(key=record.key, value=record.value, timestamp=None)
    sent.append(await producer.send_batch(batch, target, partition=tp.partition))
    return sent


if __name__ == "__main__":
    uvloop.run(run(Settings.from_env()))
