"""A worker that starts while its brokers are away waits for them; only where none ever answered it ends with 2."""

import asyncio
from contextlib import suppress

import pytest

from app.local import ports
from app.streaming.faust_app import EXIT_REFUSED
from tests.support.deployment import Deployment
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_worker_started_before_its_brokers_can_be_reached_works(deployment: Deployment) -> None:
    """The only address that the worker has leads to the broker three seconds later."""
    host, _, port = deployment.servers.rpartition(":")
    listed = ports.choose()
    worker = deployment.worker(FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{listed}")
    worker.start()
    await asyncio.sleep(3)
    assert worker.running

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(forward(reader, back), forward(there, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", listed):
        await deployment.produce(traffic(200, seed=4))
        await deployment.drained()
        assert worker.terminate() == 0


async def test_a_worker_without_any_broker_is_refused_after_the_allowed_time(deployment: Deployment) -> None:
    address = f"127.0.0.1:{ports.choose()}"
    worker = deployment.worker(
        FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=address, FRAUDSTREAM_KAFKA_START_SECONDS="1"
    )
    worker.start()

    assert worker.wait() == EXIT_REFUSED
    assert f"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS={address}: no broker answers" in worker.text()
    assert "Traceback" not in worker.text()
