"""A Faust agent as in Faust's guides, written with care: `faust -A bench.contestants.naive_faust worker`.

Stock transport, a Record per event, one event at a time, one table update per event. Profiles are stored as bytes, and
records are sent in batches.
"""

import os
from typing import Any

import faust
import mode.loop
import msgspec

from app.domain.transaction import Transaction
from app.settings import Settings
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.faust_app import NoWebServer
from app.topics.topic_specs import PROFILES_TABLE
from bench.contestants.one_by_one import OneByOne, collect_garbage_less_often
from bench.contestants.roster import LINGER_MS, THROUGHPUT_LINGER_MS

mode.loop.use("uvloop")

settings = Settings.from_env()
_kafka, _topics = settings.kafka, settings.topics
_COMPRESSION = None if _kafka.compression == "none" else _kafka.compression


class TransactionRecord(faust.Record, serializer="json"):
    """The event, declared as Faust's users do."""

    transaction_id: str
    customer_id: str
    terminal_id: str
    event_time: int
    amount_minor: int
    currency: str
    channel: str | None = None
    mcc: str | None = None
    country: str | None = None
    device_id: str | None = None
    card_token: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class NaiveApp(faust.App):
    """A plain Faust app with the garbage collector settings of our worker and without a public web port."""

    BootStrategy = NoWebServer

    async def on_start(self) -> None:
        await super().on_start()
        collect_garbage_less_often()


app = NaiveApp(
    settings.worker.app_id,
    broker=f"kafka://{_kafka.bootstrap_servers}",
    broker_session_timeout=_kafka.session_timeout_seconds,
    broker_heartbeat_interval=_kafka.heartbeat_seconds,
    broker_commit_interval=_kafka.commit_interval_seconds,
    consumer_auto_offset_reset="earliest",
    consumer_max_fetch_size=1024 * 1024,
    producer_compression_type=_COMPRESSION,
    producer_max_batch_size=256 * 1024,
    producer_linger=float(os.environ.get(LINGER_MS, THROUGHPUT_LINGER_MS)) / 1000,
    datadir=settings.worker.data_dir,
    store="rocksdb://",
    table_standby_replicas=0,
    topic_allow_declare=False,
    topic_disable_leader=True,
    topic_partitions=_topics.partitions,
    processing_guarantee="at_least_once",
    web_enabled=False,
)


def _raw(name: str) -> Any:
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


_transactions = app.topic(
    _topics.transactions, key_type=bytes, key_serializer="raw", value_type=TransactionRecord
)
_decisions, _alerts, _entities = map(_raw, (_topics.decisions, _topics.alerts, _topics.entity_activity))
_profiles = app.Table(
    PROFILES_TABLE,
    partitions=_topics.partitions,
    key_type=bytes,
    value_type=bytes,
    options={"driver": "rocksdict"},
)
_work = OneByOne(settings).score


@app.agent(_transactions, name="naive", concurrency=1)
async def score(stream: Any) -> None:
    """Score one transaction after the other. An error stops the worker, where Faust would skip the transaction."""
    with fail_stop("scoring one transaction"):
        async for event in stream.events():
            await _score(event)


async def _score(event: Any) -> None:
    message = event.message
    key = message.key
    # A Faust Record does not validate what it decodes.
    transaction = msgspec.convert(event.value.asdict(), Transaction)
    made = _work(transaction, message.partition, message.offset, _profiles.get(key))
    if made is None:
        return
    await _decisions.send(key=key, value=made.decision)
    if made.alert is not None:
        await _alerts.send(key=key, value=made.alert)
    for entity in made.entities:
        await _entities.send(key=entity, value=made.fact)
    _profiles[key] = made.profile
