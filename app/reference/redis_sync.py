"""Copies the bank's reference tables from their topics to Redis. Offsets are committed after the write to Redis."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.adapters.cdc.reference_events import ReferenceChange
from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.connection import ask_again
from app.adapters.kafka.protocol.rights import named_rights
from app.adapters.kafka.record_batches.contained_fetch import contained_consumer, resume_stopped, unreadable
from app.adapters.kafka.records import Record
from app.adapters.kafka.security import servers
from app.adapters.kafka.transactions.isolation import consumer_options
from app.adapters.redis.client import FAILURES, connect, explain
from app.adapters.redis.reference_redis import ReferenceStore
from app.adapters.topic_records.order_signatures import check_by
from app.adapters.topic_records.skips import StopReview, read_skips
from app.errors import ConfigurationError, RegistryAway
from app.metrics import Metrics
from app.reference.awaited_topics import AwaitedTopics
from app.reference.lost_records import LossGuard
from app.reference.row_changes import ValueOf, changes, value_reader
from app.settings import Settings

POLL_MS = 500
MOST_RECORDS = 500
"""Records written to Redis together."""
PAUSE_SECONDS = 1.0
COUNTER: Final = "reference_changes_total"

_log = structlog.get_logger("reference")


def kinds(settings: Settings) -> dict[str, str]:
    """The kind of the rows of each topic."""
    return {settings.cdc.customers_topic: "customer", settings.cdc.terminals_topic: "terminal"}


async def follow(
    settings: Settings, until: asyncio.Event, on_written: Callable[[int], None], metrics: Metrics
) -> None:
    """Copy changes until ``until`` is set. ``on_written`` receives the number of records of each batch.

    The topic of an empty table does not exist: its rows are copied from the moment at which it does.
    """
    _require(settings)
    value_of = value_reader(settings)
    awaited = AwaitedTopics(list(kinds(settings)), lambda: _topic_ids(settings))
    while not until.is_set():
        await awaited.look()
        if awaited.present:
            await _copy(settings, awaited, value_of, until, on_written, metrics)
        else:
            await asyncio.sleep(PAUSE_SECONDS)


async def _copy(
    settings: Settings,
    awaited: AwaitedTopics,
    value_of: ValueOf,
    until: asyncio.Event,
    on_written: Callable[[int], None],
    metrics: Metrics,
) -> None:
    """Copy the changes of the topics that exist until ``until`` is set or more topics exist."""
    topic_ids = awaited.present
    client = connect(settings.redis, settings.redis.write_timeout_seconds)
    guard = LossGuard(settings.cdc.reference_group, settings.worker.when_records_lost)
    consumer = contained_consumer(
        **consumer_options(settings.kafka),
        group_id=settings.cdc.reference_group,
        auto_offset_reset="none",
        enable_auto_commit=False,
    )
    consumer.subscribe(list(topic_ids), listener=guard)
    try:
        await ask_again(servers(settings.kafka), consumer.start, "Read")
        reference = ReferenceStore(client, settings.redis.key_prefix)
        review = StopReview(lambda: topic_ids, lambda: read_skips(settings), time.monotonic)
        while not (until.is_set() or await awaited.more()):
            with named_rights("Read"):
                fetched = await guard.fetch(consumer, POLL_MS, MOST_RECORDS)
            # Behind the markers that follow the records: a group has no lag of markers.
            next_offsets = {tp: await consumer.position(tp) for tp in fetched}
            await _review_stops(consumer, review)
            records = [record for some in fetched.values() for record in some]
            found = await _read(settings, records, value_of, until, metrics)
            if records and found is not None and await _write(settings, reference, found, until, metrics):
                await _commit(guard, consumer, next_offsets)
                on_written(len(records))
    finally:
        await consumer.stop()
        await client.aclose()


async def _review_stops(consumer: AIOKafkaConsumer, review: StopReview) -> None:
    """Resume partitions that stopped at unreadable records, where an operator has ordered it."""
    stops = unreadable(consumer)
    for tp, order in (await review.review(stops)).items():
        resume_stopped(consumer, tp, stops[tp], None if order is None else order.next_offset)


async def _read(
    settings: Settings,
    records: Sequence[Record],
    value_of: ValueOf,
    until: asyncio.Event,
    metrics: Metrics,
) -> list[ReferenceChange] | None:
    """The changes in the records; asks again until the registry answers. None if ``until`` is set first."""
    refuse = partial(metrics.count, COUNTER, result="refused")
    while True:
        try:
            return await asyncio.to_thread(changes, records, kinds(settings), value_of, refuse)
        except RegistryAway as error:
            _log.warning("registry_is_away", why=str(error))
        if until.is_set():
            return None
        await asyncio.sleep(PAUSE_SECONDS)


async def _write(
    settings: Settings,
    reference: ReferenceStore,
    found: list[ReferenceChange],
    until: asyncio.Event,
    metrics: Metrics,
) -> bool:
    """Write the changes, and retry until Redis accepts them. False if ``until`` is set first: they are read again."""
    while True:
        try:
            newer = await reference.apply(found)
        except FAILURES as error:
            _log.warning("redis_is_away", why=explain(settings.redis, error))
        else:
            metrics.count(COUNTER, newer, result="written")
            metrics.count(COUNTER, len(found) - newer, result="older")
            return True
        if until.is_set():
            return False
        await asyncio.sleep(PAUSE_SECONDS)


async def _commit(
    guard: LossGuard, consumer: AIOKafkaConsumer, next_offsets: Mapping[TopicPartition, int]
) -> None:
    """Raises RightMissing where the brokers refuse the commit for good."""
    try:
        with named_rights("Read"):
            await guard.commit(consumer, next_offsets)
    except KafkaError as error:  # a rebalance, or no broker: the same rows are written again
        _log.warning("not_committed", why=type(error).__name__)


def _require(settings: Settings) -> None:
    """Raise ConfigurationError where a setting is wrong."""
    check_by(settings.control.public_key_file)
    if not settings.redis.url:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is not set: reference rows are written to Redis. `fraudstream stack up` prints a URL."
        )


async def _topic_ids(settings: Settings) -> Mapping[str, str]:
    """The ids of the topics that exist, as orders to leave out records name them."""
    async with kafka_admin.connect(settings.kafka) as admin:
        found = await admin.find(dict.fromkeys(kinds(settings), ()))
    return {name: kafka_admin.topic_id_text(topic.topic_id) for name, topic in found.items()}
