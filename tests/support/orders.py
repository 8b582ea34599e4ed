"""``fraudstream model ...`` against a deployment under test."""

import asyncio
import json
from typing import Any

from tests.support.commands import call
from tests.support.deployment import Deployment

STATUS_SECONDS = 60


async def order(deployment: Deployment, *words: str) -> tuple[int, Any]:
    """Run ``fraudstream model ... --json``: the exit code and the parsed output."""
    reason = [] if words[0] == "status" else ["--reason", "test"]
    done = await asyncio.to_thread(call, deployment, "model", *words, *reason, "--json")
    return done.returncode, json.loads(done.stdout)


async def until_workers(deployment: Deployment, *conditions: Any) -> list[dict[str, Any]]:
    """The workers' reports in `fraudstream model status`, once each of ``conditions`` is true of all of them."""
    async with asyncio.timeout(STATUS_SECONDS):
        while True:
            deployment.require_workers()
            _, status = await order(deployment, "status")
            workers: list[dict[str, Any]] = status["workers"]
            if workers and all(condition(worker) for worker in workers for condition in conditions):
                return workers
