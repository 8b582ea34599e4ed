"""From the topics of the bank's reference tables to Redis: what is written there is committed, nothing before."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from app.adapters.cdc.reference_events import ReferenceChange, read_change
from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.records import Record
from app.adapters.kafka.security import client_options
from app.adapters.redis.client import FAILURES, connect, explain
from app.adapters.redis.reference_redis import ReferenceStore
from app.errors import ConfigurationError, InvalidEvent
from app.settings import Settings

POLL_MS = 500
MOST_RECORDS = 500
"""Written to Redis together."""
PAUSE_SECONDS = 1.0

_log = structlog.get_logger("reference")


def kinds(settings: Settings) -> dict[str, str]:
    """What the rows of each topic are."""
    return {settings.cdc.customers_topic: "customer", settings.cdc.terminals_topic: "terminal"}


async def follow(settings: Settings, until: asyncio.Event, told: Callable[[int], None]) -> None:
    """Keep Redis as the tables are, until told to stop; ``told`` hears of each batch that was written."""
    await _require(settings)
    client = connect(settings.redis, settings.redis.write_timeout_seconds)
    consumer = AIOKafkaConsumer(
        *kinds(settings),
        **client_options(settings.kafka),
        group_id=settings.cdc.reference_group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        reference = ReferenceStore(client, settings.redis.key_prefix)
        while not until.is_set():
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
            records = [record for some in fetched.values() for record in some]
            if records and await _write(settings, reference, changes(records, kinds(settings)), until):
                await _commit(consumer)
                told(len(records))
    finally:
        await consumer.stop()
        await client.aclose()


def changes(records: Sequence[Record], kind_of: Mapping[str, str]) -> list[ReferenceChange]:
    """Of the records those that change a row; what is no change event is told, without its content, and left out."""
    found = []
    for record in records:
        try:
            change = read_change(kind_of[record.topic], record.value)
        except InvalidEvent as error:
            place = f"{record.topic}-{record.partition}:{record.offset}"
            _log.warning("no_change_event", place=place, why=error.detail)
            continue
        if change is not None:
            found.append(change)
    return found


async def _write(
    settings: Settings, reference: ReferenceStore, found: list[ReferenceChange], until: asyncio.Event
) -> bool:
    """Try until Redis has it; False when asked to stop meanwhile: then it is read again."""
    while True:
        try:
            await reference.apply(found)
        except FAILURES as error:
            _log.warning("redis_is_away", why=explain(settings.redis, error))
        else:
            return True
        if until.is_set():
            return False
        await asyncio.sleep(PAUSE_SECONDS)


async def _commit(consumer: AIOKafkaConsumer) -> None:
    try:
        await consumer.commit()
    except KafkaError as error:  # its partitions move, or a broker is away: what was written is written again
        _log.warning("not_committed", why=type(error).__name__)


async def _require(settings: Settings) -> None:
    if not settings.redis.url:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is not set: reference rows have nowhere to go. `fraudstream stack up` prints one."
        )
    async with kafka_admin.connect(settings.kafka) as admin:
        found = await admin.find(dict.fromkeys(kinds(settings), ()))
    for topic in kinds(settings):
        if topic not in found:
            raise ConfigurationError(
                f"Topic {topic} does not exist. Kafka Connect makes it with the first row: "
                "`fraudstream cdc register deploy/connect/reference.json`."
            )
