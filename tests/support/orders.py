"""``fraudstream model ...`` against a deployment under test."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from app.settings import values
from tests.support.deployment import Deployment

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
STATUS_SECONDS = 60


async def order(deployment: Deployment, *words: str) -> tuple[int, Any]:
    """Run ``fraudstream model ... --json``: the exit code and the parsed output."""
    environment = {name: str(value) for name, value in values(deployment.settings).items()}
    process = await asyncio.create_subprocess_exec(
        *[COMMAND, "model", *words, "--json"],
        env=environment | {"PATH": os.environ["PATH"], "FRAUDSTREAM_MODEL_DIR": str(deployment.models)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out)


async def until_workers(deployment: Deployment, *holds: Any) -> list[dict[str, Any]]:
    """The workers' reports in `fraudstream model status`, once each of ``holds`` is true of all of them."""
    async with asyncio.timeout(STATUS_SECONDS):
        while True:
            deployment.require_workers()
            _, told = await order(deployment, "status")
            workers: list[dict[str, Any]] = told["workers"]
            if workers and all(hold(worker) for worker in workers for hold in holds):
                return workers
