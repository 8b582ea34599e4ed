"""What `fraudstream monitor` sees of real brokers and groups."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.adapters.kafka.admin import NewTopic, connect
from app.adapters.kafka.cluster import read_cluster
from app.adapters.kafka.cluster_state import GroupState
from app.errors import ConfigurationError
from app.local import ports
from app.local.state import Stack
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
SECONDS = 60
NEWEST_MS = 1_700_000_000_000
RECORDS, COMMITTED = 10, 4


@pytest.fixture(scope="module")
def stack(own_stack: Stack) -> Stack:
    """Without the topics of other tests, which may be deleted while the monitor reads the cluster."""
    return own_stack


@pytest.fixture
async def topic(stack: Stack) -> str:
    """Two partitions; each holds ten records, one older than the other by a second, the newest from ``NEWEST_MS``."""
    name = f"monitored-{uuid4().hex[:8]}"
    async with connect(stack.bootstrap_servers) as admin:
        await admin.create(
            [NewTopic(name=name, partitions=2, replication_factor=1, configs={"retention.ms": "-1"})]
        )
    async with AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers) as producer:
        for partition in range(2):
            for number in range(RECORDS):
                at = NEWEST_MS - (RECORDS - 1 - number) * 1000
                await producer.send_and_wait(name, b"value", partition=partition, timestamp_ms=at)
    return name


async def commit(stack: Stack, group: str, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign(list(offsets))
    await consumer.commit(offsets)
    await consumer.stop()


async def seen(stack: Stack, group: str) -> GroupState:
    (found,) = (await read_cluster(stack.bootstrap_servers, [group])).groups
    return found


async def test_lag_is_reported_in_records_and_by_the_oldest_uncommitted_record(
    stack: Stack, topic: str
) -> None:
    """The record at offset 4 is five seconds older than the newest."""
    await commit(stack, topic, {TopicPartition(topic, 0): COMMITTED, TopicPartition(topic, 1): RECORDS})

    before = time.time()
    behind, level = (await seen(stack, topic)).partitions
    after = time.time()

    oldest = NEWEST_MS / 1000 - (RECORDS - 1 - COMMITTED)
    assert (behind.records, level.records, level.seconds) == (RECORDS - COMMITTED, 0, 0.0)
    assert behind.seconds is not None
    assert before - oldest <= behind.seconds <= after - oldest


async def test_a_partition_without_a_commit_is_behind_from_its_beginning(stack: Stack, topic: str) -> None:
    await commit(stack, topic, {TopicPartition(topic, 0): RECORDS})

    level, behind = (await seen(stack, topic)).partitions

    assert (level.records, behind.records) == (0, RECORDS)
    assert behind.seconds


async def test_a_group_without_members_is_reported_with_its_state(stack: Stack, topic: str) -> None:
    await commit(stack, topic, {TopicPartition(topic, 0): 0})

    group = await seen(stack, topic)

    assert (group.state, group.members) == ("Empty", 0)


async def test_the_controller_is_a_voter_whose_clock_is_this_machines(stack: Stack) -> None:
    before_ms = time.time_ns() // 1_000_000
    controller = (await read_cluster(stack.bootstrap_servers)).controller
    after_ms = time.time_ns() // 1_000_000

    assert controller is not None
    assert controller.node in controller.voters
    assert before_ms <= controller.clock_ms <= after_ms


async def test_a_disk_is_reported_with_the_size_of_its_logs(stack: Stack, topic: str) -> None:
    (broker,) = (await read_cluster(stack.bootstrap_servers)).brokers
    (disk,) = broker.log_dirs

    assert disk.path == str(stack.directory / "kafka-1" / "data")
    assert 0 < disk.log_bytes < disk.total_bytes
    assert 0 < disk.usable_bytes < disk.total_bytes
    assert topic


async def test_an_unreachable_broker_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"):
        await read_cluster(f"127.0.0.1:{ports.choose()}")


def environment(stack: Stack) -> dict[str, str]:
    return os.environ | {"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers}


def call(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # ours
        [COMMAND, "monitor", *arguments],
        check=True,
        cwd=REPOSITORY,
        env=environment(stack),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return done.stdout


def test_json_is_one_object(stack: Stack, topic: str) -> None:
    output = json.loads(call(stack, "--json"))

    assert topic in [each["name"] for each in output["topics"]]
    assert output["controller"]["node"] == 1


def test_piped_output_is_one_picture(stack: Stack, topic: str) -> None:
    cluster_view = call(stack)

    assert "controller 1" in cluster_view
    assert "all copies in sync" in cluster_view
    assert topic


async def test_monitor_serves_metrics_until_sigterm(stack: Stack, topic: str) -> None:
    await commit(stack, topic, {TopicPartition(topic, 0): COMMITTED})
    series = f'fraudstream_kafka_group_lag_records{{group="{topic}",partition="0",topic="{topic}"}} 6.0'

    metrics, code = await asyncio.to_thread(serve_until, stack, series)

    assert "fraudstream_kafka_reachable 1.0" in metrics
    assert code == 0


def serve_until(stack: Stack, series: str) -> tuple[str, int]:
    """The metrics once they include ``series``, and the exit code after SIGTERM."""
    port = ports.choose()
    words = [COMMAND, "monitor", "--serve", "--interval", "1", "--port", str(port)]
    process = subprocess.Popen(words, cwd=REPOSITORY, env=environment(stack))  # noqa: S603  # ours
    try:
        deadline, metrics = time.monotonic() + SECONDS, ""
        while series not in metrics:
            assert process.poll() is None
            assert time.monotonic() < deadline, metrics
            time.sleep(0.1)
            metrics = read(port)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(SECONDS)
    return metrics, code


def read(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:  # loopback
            metrics: str = answer.read().decode()
            return metrics
    except OSError:
        return ""
