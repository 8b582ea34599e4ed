"""The copy of reference tables in this process, with two topics of a deployment in place of the tables'."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from app.adapters.observability.prometheus import PrometheusMetrics
from app.local.state import Stack
from app.reference import redis_sync
from app.settings import CdcSettings, Settings
from tests.support.deployment import Deployment

SECONDS = 60.0


def reference_settings(deployment: Deployment, stack: Stack) -> Settings:
    """The settings of `fraudstream cdc reference`: customers on the topic of answers, terminals on that of notifications."""
    topics = deployment.settings.topics
    return Settings(
        kafka=deployment.settings.kafka,
        topics=topics,
        redis=msgspec.structs.replace(stack.redis, key_prefix=deployment.settings.app_id),
        cdc=CdcSettings(
            customers_topic=topics.answers,
            terminals_topic=topics.notifications,
            reference_group=f"{deployment.settings.app_id}-reference",
        ),
    )


@asynccontextmanager
async def copied(settings: Settings) -> AsyncIterator[tuple[asyncio.Task[None], list[int]]]:
    """A running copy of the reference tables, and the sizes of the batches that it has written."""
    stop, written = asyncio.Event(), list[int]()
    copying = asyncio.create_task(redis_sync.follow(settings, stop, written.append, PrometheusMetrics()))
    try:
        yield copying, written
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await copying


def some(written: list[int], copying: asyncio.Task[None]) -> Callable[[], Awaitable[bool]]:
    async def written_some() -> bool:
        assert not copying.done(), copying.exception()
        return bool(written)

    return written_some


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
