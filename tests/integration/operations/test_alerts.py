"""A real Prometheus on three brokers, the monitor and a worker: each alert fires after its fault and not before.

The tests depend on their order in the file: the last one kills a broker.
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import pytest_asyncio

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord
from app.local import ports
from tests.chaos.cluster import Cluster
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY
from tests.support.servers.prometheus import PROMETHEUS, RULES, Prometheus
from tests.support.traffic import traffic
from tests.support.workers import Worker

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus on the PATH: apt-get install prometheus"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]

SECONDS = 240.0
POLL_SECONDS = 0.2
COMMAND = str(Path(sys.executable).with_name("fraudstream"))
EVENTS = 1500
MEGABYTE = bytes(1_000_000)


class Scene(NamedTuple):
    """The monitored cluster and worker, and the Prometheus that monitors them."""

    cluster: Cluster
    deployment: Deployment
    worker: Worker
    prometheus: Prometheus


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("alerts-cluster"))
    yield started
    started.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    directory = tmp_path_factory.mktemp("alerts")
    deployment = Deployment(cluster.stack, directory, REPOSITORY / "models")
    deployment.settings = msgspec.structs.replace(
        deployment.settings, topics=msgspec.structs.replace(deployment.settings.topics, replication_factor=3)
    )
    worker_port, monitor_port = ports.choose(), ports.choose()
    worker = deployment.worker(
        FRAUDSTREAM_WORKER_METRICS_PORT=str(worker_port),
        FRAUDSTREAM_MODEL_DRIFT_DECISIONS="1000",  # reported from so many on
    )
    targets = {"fraudstream-worker": worker_port, "fraudstream-monitor": monitor_port}
    try:
        await deployment.ensure_topics()
        worker.start()
        with monitoring(cluster, monitor_port), watching(directory, targets) as prometheus:
            await deployment.produce(traffic(EVENTS, seed=1))
            await deployment.drained(SECONDS)
            yield Scene(cluster, deployment, worker, prometheus)
    finally:
        deployment.clear_up()


@contextmanager
def monitoring(cluster: Cluster, port: int) -> Iterator[None]:
    words = [COMMAND, "monitor", "--serve", "--interval", "1", "--port", str(port)]
    environment = os.environ | {"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": cluster.servers}
    process = subprocess.Popen(words, cwd=REPOSITORY, env=environment)  # noqa: S603  # ours
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def watching(directory: Path, targets: dict[str, int]) -> Iterator[Prometheus]:
    prometheus = Prometheus(directory / "prometheus", targets)
    try:
        yield prometheus
    finally:
        prometheus.stop()


async def until(condition: Callable[[], bool], scene: Scene) -> None:
    """Return when the condition is true."""
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, (scene.prometheus.firing(), scene.worker.tail())
        await asyncio.sleep(POLL_SECONDS)


async def test_prometheus_has_every_series_that_an_alert_uses(scene: Scene) -> None:
    asked = set(re.findall(r"\bfraudstream_\w+", RULES.read_text(encoding="utf-8")))

    await until(lambda: asked <= scene.prometheus.names(), scene)
    await until(lambda: scene.prometheus.value("sum(fraudstream_scores_count)") == EVENTS, scene)


async def test_a_filling_broker_disk_fires_its_alert(scene: Scene) -> None:
    """The topic of dead letters accepts any bytes and has no consumer."""
    await until(lambda: "BrokerDiskFilling" not in scene.prometheus.firing(), scene)
    sender = BatchProducer(msgspec.structs.replace(scene.deployment.settings.kafka, compression="none"))
    await sender.start()
    topic = scene.deployment.settings.topics.dead_letters

    async def fill() -> None:
        while True:
            await sender.send(topic, 0, [OutRecord(key=None, value=MEGABYTE)])
            await asyncio.sleep(POLL_SECONDS)

    filling = asyncio.create_task(fill())
    await until(lambda: "BrokerDiskFilling" in scene.prometheus.firing(), scene)
    filling.cancel()
    await sender.stop()


async def test_growing_lag_and_a_missing_worker_fire_their_alerts(scene: Scene) -> None:
    group = scene.deployment.settings.worker.app_id
    assert "ConsumerLagGrowing" not in scene.prometheus.firing()
    scene.worker.kill()
    events = traffic(100_000, seed=2)
    sending = scene.deployment.sending(events, rate=100)

    def fires() -> bool:
        alerts = scene.prometheus.firing().get("ConsumerLagGrowing", [])
        return group in [labels["group"] for labels in alerts]

    await until(fires, scene)
    await until(lambda: "WorkerDown" in scene.prometheus.firing(), scene)
    sending.cancel()


async def test_under_replicated_partitions_fire_their_alert(scene: Scene) -> None:
    topic = scene.deployment.settings.topics.transactions
    assert "UnderReplicatedPartitions" not in scene.prometheus.firing()
    scene.cluster.kill(scene.cluster.nodes[-1])

    def fires() -> bool:
        alerts = scene.prometheus.firing().get("UnderReplicatedPartitions", [])
        return topic in [labels["topic"] for labels in alerts]

    await until(fires, scene)
    assert "ClusterUnreachable" not in scene.prometheus.firing()
