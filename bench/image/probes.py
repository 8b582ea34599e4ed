"""The endpoints of a container's program, asked on loopback as a kubelet asks them."""

import asyncio
from http import HTTPStatus
from http.client import HTTPConnection

from bench.image.container import Container

START_SECONDS = 120
POLL_SECONDS = 0.02
LOG_TAIL = 5_000


def ask(port: int, endpoint: str) -> int:
    """Return the status of an endpoint; 0 if nothing answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", endpoint)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


async def until(container: Container, port: int, endpoint: str) -> float:
    """Return when an endpoint answers that all is well: after how many seconds since the start of the container."""
    while await asyncio.to_thread(ask, port, endpoint) != HTTPStatus.OK:
        if not container.running or container.age() > START_SECONDS:
            raise RuntimeError(f"{endpoint} does not answer:\n{container.said()[-LOG_TAIL:]}")
        await asyncio.sleep(POLL_SECONDS)
    return container.age()
