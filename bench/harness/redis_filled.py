"""Waits until an entities worker has written everything to Redis."""

import asyncio
import time

import redis

from app.local.state import Stack
from bench.harness.deployment import BenchDeployment
from bench.harness.topic_progress import DRAIN_SECONDS, open_topic
from bench.harness.worker_process import BenchProcess


async def wait_for_redis(
    deployment: BenchDeployment, stack: Stack, name: str, entities: BenchProcess
) -> None:
    """Wait until Redis holds everything up to the end of the changelog of activities, and that does not grow any more."""
    changelog = f"{deployment.settings().entities.app_id}-entity-activities-changelog"
    deadline, before = time.monotonic() + DRAIN_SECONDS, None
    with redis.Redis.from_url(stack.redis_url, password=stack.redis_password) as client:
        async with open_topic(deployment.servers, changelog, deployment.partitions) as (consumer, assigned):
            while time.monotonic() < deadline:
                ends = [end for _, end in sorted((await consumer.end_offsets(assigned)).items())]
                marks = client.mget([f"{name}:complete:{number}" for number in range(deployment.partitions)])
                written = [(mark or b"").rpartition(b":")[2] for mark in marks]
                if ends == before and written == [b"%d" % (end - 1) for end in ends]:
                    return
                before = ends
                entities.cpu_seconds()  # raises when it has ended
                await asyncio.sleep(1)
    raise RuntimeError(f"the entities worker did not write everything to Redis:\n{entities.log_tail()}")
