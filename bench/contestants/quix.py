"""Quix Streams with its best settings: `python -m bench.contestants.quix`.

State in RocksDB with a changelog topic, raw bytes in and out, one linear pipeline (branches copy values), and larger
batches in the compiled client. At least once, with commits as frequent as ours; a profile that changes several times between
two commits is written once.
"""

import os
from functools import partial
from typing import Any

import quixstreams

from app.features.entities import ENTITIES
from app.settings import Settings
from bench.contestants.one_by_one import Made, OneByOne, collect_garbage_less_often
from bench.contestants.roster import LINGER_MS, THROUGHPUT_LINGER_MS


class MadeDecision(quixstreams.models.Serializer):
    """Returns the encoded decision."""

    def __call__(self, value: Made, ctx: Any) -> bytes:  # noqa: ARG002  # the library's signature
        return value.decision


class MadeFact(quixstreams.models.Serializer):
    """Returns the encoded fact."""

    def __call__(self, value: Made, ctx: Any) -> bytes:  # noqa: ARG002  # the library's signature
        return value.fact


class MadeAlert(quixstreams.models.Serializer):
    """Returns the encoded alert, or no bytes."""

    def __call__(self, value: Made, ctx: Any) -> bytes:  # noqa: ARG002  # the library's signature
        return value.alert or b""


def build(settings: Settings) -> Any:
    """Build the application with its pipeline."""
    app = _application(settings)
    topics, work = settings.topics, OneByOne(settings).work

    def fold(value: bytes, key: bytes, timestamp: int, headers: Any, state: Any) -> Made | None:  # noqa: ARG001  # the library's signature
        context = quixstreams.message_context()
        made = work(value, context.partition, context.offset, state.get_bytes("profile"))
        if made is not None:
            state.set_bytes("profile", made.profile)
        return made

    stream = app.dataframe(app.topic(topics.transactions, value_deserializer="bytes"))
    stream = stream.apply(fold, stateful=True, metadata=True)
    stream = stream.filter(lambda made: made is not None)
    stream = stream.to_topic(app.topic(topics.decisions, value_serializer=MadeDecision()))
    entities = app.topic(topics.entity_activity, value_serializer=MadeFact())
    for number in range(len(ENTITIES)):
        stream = stream.to_topic(entities, key=partial(_entity, number))
    stream = stream.filter(lambda made: made.alert is not None)
    stream.to_topic(app.topic(topics.alerts, value_serializer=MadeAlert()))
    return app


def _entity(number: int, made: Made) -> bytes:
    """Return an entity's key; every transaction of the bench names one entity of each kind."""
    return made.entities[number]


def _application(settings: Settings) -> Any:
    kafka = settings.kafka
    return quixstreams.Application(
        broker_address=kafka.bootstrap_servers,
        consumer_group=settings.worker.app_id,
        auto_offset_reset="earliest",
        commit_interval=kafka.commit_interval_seconds,
        auto_create_topics=True,  # Quix names and configures its changelog itself
        state_dir=f"{settings.worker.data_dir}/state",
        processing_guarantee="at-least-once",
        loglevel="INFO",
        producer_extra_config={
            "linger.ms": float(os.environ.get(LINGER_MS, THROUGHPUT_LINGER_MS)),
            "batch.size": 1024 * 1024,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1024 * 1024,
            "compression.type": kafka.compression,
        },
        consumer_extra_config={
            "session.timeout.ms": int(kafka.session_timeout_seconds * 1000),
            "heartbeat.interval.ms": int(kafka.heartbeat_seconds * 1000),
            "fetch.message.max.bytes": 4 * 1024 * 1024,
            "queued.min.messages": 100_000,
        },
    )


if __name__ == "__main__":
    application = build(Settings.from_env())
    collect_garbage_less_often()
    application.run()
