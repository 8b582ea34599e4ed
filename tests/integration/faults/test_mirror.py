"""The primary cluster is lost with its workers, and a mirror by MirrorMaker takes over as docs/operate/disaster-recovery.md describes.

Offsets and topic ids of the two clusters differ: the primary's log holds an aborted transaction and markers. MirrorMaker is killed
once before, and copies nothing twice.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from app.domain.transaction import Transaction
from app.local import stack as local_stack
from app.local.state import Stack
from app.settings import values as setting_values
from app.traffic.produce import produce_raw
from tests.integration.conftest import SHORT_SESSIONS
from tests.integration.faults.mirrored_groups import run_groups
from tests.profile_format import read_profile
from tests.support import oracle, reading
from tests.support.commands import call
from tests.support.deployment import (
    Deployment,
    check_alerts,
    check_decisions,
    check_profiles,
    check_store,
)
from tests.support.groups import Groups
from tests.support.processes.mirror_maker import MirrorMaker
from tests.support.traffic import traffic
from tests.support.workers import Worker

pytestmark = pytest.mark.integration

EVENTS, RATE = 100_000, 200.0
"""More than are sent before the cluster is lost."""
CUSTOMERS = 300
REPEAT_SECONDS = 2
LINK_DOWN_SECONDS = 2
BEHIND_SECONDS = 5
"""MirrorMaker has caught up after it was killed."""
SHORTLY_MS = 10_000
MIRRORED_SECONDS = 300
LONG_SESSION = {
    "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS": "30",
    "FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS": "20",
}
"""Nothing here waits for a session, and two clusters leave little of a machine to the workers."""
RESULT = "TEST_RESULT_FILE"
"""Names the file to which the figures of a run are written."""


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[tuple[Stack, Stack]]:
    """The primary cluster and its mirror."""
    folders = tmp_path / "primary", tmp_path / "mirror"
    try:
        primary, mirror = (local_stack.start(one, 1, None, os.getpid(), SHORT_SESSIONS) for one in folders)
        yield primary, mirror
    finally:
        for one in folders:
            local_stack.stop(one)


@pytest.fixture
async def sides(
    clusters: tuple[Stack, Stack], models: Path, tmp_path: Path
) -> AsyncIterator[tuple[Deployment, Deployment]]:
    """The same deployment on both clusters; its workers have other directories on the mirror."""
    primary, mirror = (
        Deployment(stack, tmp_path / f"workers-{name}", models)
        for stack, name in zip(clusters, ("primary", "mirror"), strict=True)
    )
    kafka = msgspec.structs.replace(primary.settings.kafka, bootstrap_servers=clusters[1].bootstrap_servers)
    mirror.settings = msgspec.structs.replace(primary.settings, kafka=kafka)
    for side in (primary, mirror):
        side.directory.mkdir()
        await side.ensure_topics()
    yield primary, mirror
    for side in (primary, mirror):
        side.clear_up()
        print(side.tails())  # noqa: T201  # shown beneath a failure only


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_mirror_takes_over_from_a_lost_cluster(
    clusters: tuple[Stack, Stack], sides: tuple[Deployment, Deployment], tmp_path: Path
) -> None:
    primary, mirror = sides
    maker = MirrorMaker(tmp_path, primary.servers, mirror.servers, primary.settings.topics)
    aborted = traffic(400, seed=1, customers=CUSTOMERS, prefix="aborted")
    await send_in_a_transaction(primary, aborted, commit=False)
    await send_in_a_transaction(primary, traffic(400, seed=2, customers=CUSTOMERS), commit=True)
    maker.start()
    for name in ("worker-1", "worker-2"):
        primary.worker(name, **LONG_SESSION).start()
    Groups(primary).crm(**LONG_SESSION).start()
    sending = primary.sending(traffic(EVENTS, seed=3, customers=CUSTOMERS), rate=RATE)
    try:
        await mirrored(primary, mirror, decisions=600)
        maker.kill()
        maker.start()
        await mirrored(primary, mirror, decisions=2_000, most_behind=BEHIND_SECONDS * RATE)
        maker.pause()
        await asyncio.sleep(LINK_DOWN_SECONDS)
        assert not sending.done(), "the traffic ended before the cluster was lost"
        lost_ms = time.time_ns() // 1_000_000
        os.kill(clusters[0].brokers[0].pid, signal.SIGKILL)
        for worker in primary.workers:
            worker.kill()
        sending.cancel()
        maker.resume()
        await refuse_mistakes(primary, mirror)
        figures = await take_over(maker, mirror)
    finally:
        sending.cancel()
        maker.kill()

    await asyncio.to_thread(
        local_stack.start_dead, clusters[0].directory
    )  # the primary comes back, without workers
    figures |= await resend_the_tail(primary, mirror)
    await mirror.produce(traffic(1_000, seed=4, customers=CUSTOMERS))
    last, other = mirror.workers
    assert other.terminate() == 0
    await mirror.drained(MIRRORED_SECONDS)
    assert last.terminate() == 0
    figures |= await check_mirror(mirror)
    check_store(last, reading.newest_per_key(await mirror.read(mirror.changelog)))
    shortly_before_ms = lost_ms - SHORTLY_MS
    figures |= await run_groups(mirror, clusters[1].redis, shortly_before_ms, LONG_SESSION)
    print(figures)  # noqa: T201  # shown with -s
    if RESULT in os.environ:
        write(Path(os.environ[RESULT]), figures)


def write(file: Path, figures: dict[str, Any]) -> None:
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


async def take_over(maker: MirrorMaker, mirror: Deployment) -> dict[str, Any]:
    """The documented procedure; the time of each of its steps."""
    times = [time.monotonic()]
    maker.stop()
    times.append(time.monotonic())
    options = ("--from-mirror", "--repeat-seconds", str(REPEAT_SECONDS), "--json", "--yes")
    done = call(mirror, "state", "rebuild", *options)
    assert done.returncode == 0, done.stderr
    rebuilt = json.loads(done.stdout)
    times.append(time.monotonic())
    decided_before = await mirror.decision_count()
    for name in ("worker-1", "worker-2"):
        mirror.worker(name, **LONG_SESSION).start()
    await mirror.decided(decided_before + 1)
    times.append(time.monotonic())
    await mirror.drained(MIRRORED_SECONDS)
    times.append(time.monotonic())
    again = call(mirror, "state", "rebuild", *options)
    assert (2, True) == (again.returncode, b"are in the group" in again.stderr), again.stderr
    steps = ("stop_mirror_maker", "rebuild", "start_workers_to_first_decision", "decide_what_waited")
    seconds = {step: round(end - start, 1) for step, start, end in zip(steps, times, times[1:], strict=False)}
    return {
        "transactions_per_s": RATE,
        "link_down_before_the_loss_seconds": LINK_DOWN_SECONDS,
        "repeat_seconds": REPEAT_SECONDS,
        "records_folded": rebuilt["records"],
        "profiles": rebuilt["profiles"],
        "records_to_decide": rebuilt["to_decide"],
        "seconds": seconds | {"all": round(times[-1] - times[0], 1)},
    }


async def refuse_mistakes(primary: Deployment, mirror: Deployment) -> None:
    """Workers with the directories of the primary, and a rebuild by the primary's offsets, are refused."""
    environment = {variable: str(value) for variable, value in setting_values(mirror.settings).items()}
    old = Worker(
        primary.workers[0].name,
        primary.directory,
        environment | {"FRAUDSTREAM_MODEL_DIR": str(mirror.models)},
    )
    old.start()
    assert await asyncio.to_thread(old.wait) == 2, old.tail()
    assert "belongs to another cluster" in old.tail()
    wrong = call(mirror, "state", "rebuild", "--yes")
    assert (2, True) == (wrong.returncode, b"add --from-mirror" in wrong.stderr), wrong.stderr


async def resend_the_tail(primary: Deployment, mirror: Deployment) -> dict[str, Any]:
    """Send what the primary had and the mirror has not, as its producers would."""
    topic = primary.settings.topics.transactions
    source, copied = await primary.read(topic), await mirror.read(topic)
    known = {record.value for record in copied}
    tail = [record for record in source if record.value not in known]
    decided = set(await primary.decisions())
    at_mirror = set(await mirror.decisions())
    assert not {json.loads(record.value)["transaction_id"] for record in copied} - at_mirror
    assert tail, "the test needs transactions that were not mirrored"
    assert len(known) == len(copied), "records were copied twice"
    assert offsets(source) != offsets(copied), "the test needs clusters whose offsets differ"
    repeated = [(record.key, record.value) for record in tail]
    await produce_raw(repeated, topic=topic, kafka=mirror.servers)
    await mirror.drained(MIRRORED_SECONDS)
    return {
        "transactions_at_loss": len({record.value for record in source}),
        "mirrored": len(known),
        "not_mirrored": len(tail),
        "not_mirrored_but_decided": len(
            decided & {json.loads(record.value)["transaction_id"] for record in tail}
        ),
    }


def offsets(records: Iterable[Any]) -> dict[bytes, int]:
    """By value, the offset of the first hundred records of each partition."""
    return {record.value: record.offset for record in records if record.offset < 200}


async def check_mirror(mirror: Deployment) -> dict[str, Any]:
    """Compare everything on the mirror with the independent fold of the mirror's own log."""
    topics = mirror.settings.topics
    customers = oracle.fold(await mirror.read(topics.transactions))
    changelog = reading.newest_per_key(await mirror.read(mirror.changelog))
    decisions = await mirror.decisions()
    alerts = [json.loads(record.value) async for record in mirror.scan(topics.alerts)]
    check_profiles(customers, changelog)
    check_decisions(customers, decisions, may_differ=("scored_at", "source"))
    check_alerts(decisions, alerts)
    assert not any(name.startswith("aborted") for name in decisions)
    transactions = {event.transaction_id for customer in customers.values() for event in customer.events}
    applied = sum(read_profile(profile).applied for profile in changelog.values())
    alerted = {alert["alert_id"] for alert in alerts}
    return {
        "transactions": len(transactions),
        "not_decided": len(transactions - set(decisions)),
        "counted_twice_or_lost": applied - len(transactions),
        "decided_twice": sum(len(repeats) > 1 for repeats in decisions.values()),
        "alerts": len(alerted),
        "alerts_sent_twice": len(alerts) - len(alerted),
    }


async def mirrored(
    primary: Deployment, mirror: Deployment, decisions: int, most_behind: float = float("inf")
) -> None:
    """Return when the mirror has so many decisions in committed transactions of MirrorMaker, which aborts the open one when it
    is killed, and all but ``most_behind`` of the primary's. Fail at once when a worker of the primary has ended.
    """
    deadline, found = time.monotonic() + MIRRORED_SECONDS, 0
    topic = mirror.settings.topics.decisions
    async with reading.consumer(mirror.servers) as reader:
        reader.assign([TopicPartition(topic, partition) for partition in range(mirror.partitions)])
        while found < decisions or found < await primary.decision_count() - most_behind:
            primary.require_workers()
            assert time.monotonic() < deadline, f"{found} decisions are mirrored\n{primary.tails()}"
            found += sum(map(len, (await reader.getmany(timeout_ms=200)).values()))


async def send_in_a_transaction(
    deployment: Deployment, transactions: Iterable[Transaction], *, commit: bool
) -> None:
    """Send all in one Kafka transaction, and end it."""
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers, transactional_id="bank") as producer:
        await producer.begin_transaction()
        for one in transactions:
            key = one.customer_id.encode()
            await producer.send(deployment.settings.topics.transactions, msgspec.json.encode(one), key)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def test_a_worker_refuses_a_changelog_that_was_copied(deployment: Deployment) -> None:
    """A copy may be ahead of the copied decisions: its states include transactions whose alerts were not copied."""
    worker = deployment.worker()
    worker.start()
    await deployment.produce(traffic(200, seed=5, customers=20))
    await deployment.drained()
    assert worker.terminate() == 0
    written = await deployment.read(deployment.changelog)
    await deployment.recreate_topic(deployment.changelog)
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as producer:
        for record in written:
            content = {"key": record.key, "value": record.value, "headers": list(record.headers)}
            await producer.send_and_wait(deployment.changelog, partition=record.partition, **content)

    other = deployment.worker("worker-on-the-mirror")
    other.start()

    assert await asyncio.to_thread(other.wait) == 70, other.tail()
    assert "was copied from another cluster" in other.tail()
