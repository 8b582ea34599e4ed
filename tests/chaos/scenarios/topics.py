"""Topics that refuse writes, are truncated, compacted, deleted and created again; offsets set by hand; a wrong partitioner."""

import asyncio
import json
import shutil
from collections.abc import Iterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.adapters.kafka.partitioner import partition_of
from app.topics.topic_specs import topic_table
from tests.chaos.cluster import allow_writing, alter_topic, forbid_writing
from tests.chaos.run import Run
from tests.chaos.scenario import scenario
from tests.chaos.traffic import START_MS, Sent, renamed, transaction, transactions
from tests.support.deployment import delete_topic


@scenario(
    "stops with MessageSizeTooLargeError and exit code 70; no alert is missed once the topic takes them"
)
async def alerts_refused(run: Run) -> None:
    (worker,) = await run.start_workers(1)
    topic = run.deployment.settings.topics.alerts
    async with run.traffic(count=int(10_000 * run.scale), rate=500):
        await asyncio.sleep(run.seconds(5))
        await configure(run, topic, max_message_bytes="100")
        run.note("alerts: max.message.bytes=100", fault=True)
        await asyncio.sleep(run.seconds(15))
        run.expect(run.restarts > 0, "the worker ended by itself")
        run.expect("MessageSizeTooLargeError" in worker.text(), "its log says why")
        await configure(run, topic)
        run.note("alerts: as they were")
        await run.recovered()


@scenario(
    "stops with TopicAuthorizationFailedError and exit code 70; no alert is missed once writing is allowed again"
)
async def authorization_revoked(run: Run) -> None:
    (worker,) = await run.start_workers(1)
    topic = run.deployment.settings.topics.alerts
    async with run.traffic(count=int(10_000 * run.scale), rate=500):
        await asyncio.sleep(run.seconds(5))
        await forbid_writing(run.cluster.servers, topic)
        run.note("alerts: nobody may write", fault=True)
        await run.ended_by_itself()
        run.expect("TopicAuthorizationFailedError" in worker.text(), "its log says why")
        await asyncio.sleep(run.seconds(10))
        await allow_writing(run.cluster.servers, topic)
        run.note("alerts: no rule any more")
        await run.recovered()


@scenario(
    "stops with LogReplaced and exit code 70 when the transactions topic is deleted and made again; reads the new log afterwards"
)
async def topic_made_anew(run: Run) -> None:
    workers = await run.start_workers(2)
    async with run.traffic(count=int(10_000 * run.scale), rate=800):
        pass
    await run.drained()
    topic = run.deployment.settings.topics.transactions
    run.deleted_log = await run.deployment.read(topic)
    await delete_topic(run.cluster.servers, topic)
    await run.deployment.ensure_topics()
    run.note("transactions: deleted and made again", fault=True)
    later = transactions(int(10_000 * run.scale), run.seed + 1, 300)
    async with run.sending((renamed(record) for record in later), rate=800):
        await run.ended_by_itself()
        said = sum(worker.lines_with("LogReplaced") for worker in workers)
        run.expect(said, "the log says LogReplaced")
    await run.recovered()


@scenario(
    "survives: a producer with another partitioner; what it misplaces is in the dead letters, wrong_partition"
)
async def wrong_partitioner(run: Run) -> None:
    await run.start_workers(2)
    async with run.sending(misplacing(run, int(20_000 * run.scale)), rate=800):
        run.note("a quarter of the records in another partition", fault=True)
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")


def misplacing(run: Run, count: int) -> Iterator[Sent]:
    """Records of customers with and without a profile."""
    partitions = run.deployment.partitions
    for number, record in enumerate(transactions(count, run.seed, 300)):
        yield record
        if number % 3 == 0:
            customer = f"c{run.random.randrange(600)}"
            other = transaction(customer, 10**6 + number, START_MS)
            right = partition_of(customer.encode(), partitions)
            yield other._replace(
                bad=True, partition=(right + run.random.randrange(1, partitions)) % partitions
            )


async def configure(run: Run, topic: str, **configs: str) -> None:
    """Set a topic's whole configuration as provisioned, except ``configs``."""
    spec = {spec.name: spec for spec in topic_table(run.deployment.settings)}[topic]
    await alter_topic(
        run.cluster.servers,
        topic,
        spec.configs() | {name.replace("_", "."): value for name, value in configs.items()},
    )


@scenario("survives: the changelog compacted as hard as Kafka can, and every disk lost")
async def changelog_compacted_hard(run: Run) -> None:
    workers = await run.start_workers(2)
    await configure(
        run,
        run.deployment.changelog,
        segment_ms="1000",
        segment_bytes="1048576",
        min_cleanable_dirty_ratio="0.01",
        min_compaction_lag_ms="0",
        delete_retention_ms="0",
    )
    run.note("changelog: compacted at once")
    async with run.traffic(count=int(25_000 * run.scale), rate=600):
        await asyncio.sleep(run.seconds(35))
        await configure(
            run, run.deployment.changelog
        )  # workers refuse to start on one without min.compaction.lag.ms
        run.note("changelog: as it should be again", fault=True)
        for worker in workers:
            run.kill(worker)
            shutil.rmtree(worker.data_dir)
            await run.restart(worker)
        await run.recovered()


@scenario("survives: the group's offsets set back to the beginning; all is recognised as replayed")
async def offsets_reset_to_earliest(run: Run) -> None:
    workers = await run.start_workers(2)
    async with run.traffic(count=int(8_000 * run.scale), rate=800):
        pass
    await run.drained()
    for worker in workers:
        await run.stop(worker)
    await commit_everywhere(run, 0)
    run.note("group offsets set to 0", fault=True)
    for worker in workers:
        await run.restart(worker)
    await run.recovered()


async def commit_everywhere(run: Run, offset: int) -> None:
    """Reset offsets, as kafka-consumer-groups.sh --reset-offsets does."""
    settings = run.deployment.settings
    consumer = AIOKafkaConsumer(
        bootstrap_servers=run.cluster.servers, group_id=settings.worker.app_id, enable_auto_commit=False
    )
    await consumer.start()
    partitions = [TopicPartition(settings.topics.transactions, p) for p in range(run.deployment.partitions)]
    consumer.assign(partitions)
    await consumer.commit(dict.fromkeys(partitions, offset))
    await consumer.stop()


@scenario("survives: one in twenty transactions is sent again under a new offset, at once or long after")
async def sent_twice(run: Run) -> None:
    await run.start_workers(2)
    async with run.sending(repeating(run, int(20_000 * run.scale)), rate=800):
        await asyncio.sleep(run.seconds(10))


def repeating(run: Run, count: int) -> Iterator[Sent]:
    """Repeat some records after up to a hundred others, some after up to ten thousand."""
    again: dict[int, Sent] = {}
    for at, record in enumerate(transactions(count, run.seed, 300)):
        yield record
        # A repeat of an event older than a profile keeps counts as new, by declaration, so that none is sent here.
        if run.random.random() < 0.05 and json.loads(record.value or b"")["event_time"] > START_MS:
            again[at + run.random.choice((1, 100, 10_000))] = record
        if at in again:
            yield again.pop(at)
