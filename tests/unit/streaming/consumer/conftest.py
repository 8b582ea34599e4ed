"""A chunk consumer for tests."""

import asyncio
from pathlib import Path
from typing import Any, cast

import faust
import pytest

from app.streaming.consumer.chunk_consumer import chunk_transport
from tests.unit.streaming.consumer.consumer import TOPIC, Fetching


@pytest.fixture
async def consumer(tmp_path: Path) -> Any:
    loop = asyncio.get_running_loop()
    app = faust.App(
        "chunks", broker="kafka://127.0.0.1:1", store="memory://", datadir=str(tmp_path), loop=loop
    )
    transport = chunk_transport([TOPIC], 3)
    fetching = type("FetchingConsumer", (Fetching, cast(Any, transport).Consumer), {})
    app.transport = transport(app.conf.broker, app)
    cast(Any, app.transport).Consumer = fetching

    async def unused(*_: object) -> None:
        """Faust's callback for revoked and assigned partitions."""

    delivered: list[Any] = []

    async def deliver(message: Any) -> None:
        delivered.append(message)
        await made.on_delivered()

    made = cast(Any, app.transport).create_consumer(
        callback=deliver, on_partitions_revoked=unused, on_partitions_assigned=unused
    )
    made.delivered = delivered
    return made
