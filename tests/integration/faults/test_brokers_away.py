"""A worker that starts while its brokers are away waits for them; only where none ever answered it ends with 2."""

import asyncio
from contextlib import suppress

import pytest

from app.local import ports
from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP
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


@pytest.mark.parametrize("answered", range(1, 8))
async def test_brokers_that_go_away_during_a_start_end_it_with_70(
    deployment: Deployment, answered: int
) -> None:
    """Every client of the worker uses the listed address once. The worker works once none is left that needs it."""
    host, _, port = deployment.servers.rpartition(":")
    left = [answered]

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left[0] -= 1
        if left[0] <= 0:
            server.close()
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(forward(reader, back), forward(there, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    listed = server.sockets[0].getsockname()[1]
    worker = deployment.worker(FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{listed}")
    worker.may_end = True
    worker.start()
    sending = deployment.sending(traffic(50, seed=4))
    decided = 0
    # Not a task that is cancelled when the worker ends: its client would be left open.
    while worker.running and decided < 50:
        await asyncio.sleep(0.1)
        decided = await deployment.decision_count()
    await sending
    server.close()

    code = worker.wait() if not worker.running else worker.terminate()
    assert code == (0 if decided >= 50 else EXIT_FAIL_STOP), worker.tail()
