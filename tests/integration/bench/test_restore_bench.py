"""The bench of restores runs from end to end. No timings are checked."""

from pathlib import Path
from uuid import uuid4

import pytest

from app.local.state import Stack
from bench.harness.deployment import BenchDeployment
from bench.recovery import Changelog, restarts

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_a_worker_starts_without_a_disk_on_its_disk_and_behind(stack: Stack, tmp_path: Path) -> None:
    changelog = Changelog(BenchDeployment(f"bench-{uuid4().hex[:8]}", stack.bootstrap_servers), 2_000)
    await changelog.deployment.make_topics()
    await changelog.fill(changelog.customers)
    started = await restarts("ours", changelog, tmp_path / "worker")

    assert {"empty": 2_000, "warm": 0, "behind": 20} == {
        disk: restarted.records for disk, restarted in started.items()
    }
    assert started["empty"].start.restore_seconds > 0
