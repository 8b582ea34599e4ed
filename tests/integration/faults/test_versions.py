"""Rolling upgrades and downgrades: workers of the release before and of this one share a group, under load and kills."""

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.deployment import Deployment, check_guarantee
from tests.support.paths import REPOSITORY
from tests.support.traffic import traffic
from tests.support.workers import Worker

PREVIOUS = "bbb104ceaec67cbfbb952f151a3fb4b7114dd704"
"""The commit of the release before this one."""
EVENTS, RATE = 12_000, 400
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the release before this one."""
    packed = subprocess.run(  # noqa: S603  # the command is our own list of words
        [shutil.which("git") or "git", "archive", PREVIOUS], cwd=REPOSITORY, capture_output=True, check=False
    )
    if packed.returncode:
        pytest.skip(f"the history of this checkout does not contain commit {PREVIOUS}")
    root = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(root, filter="data")
    return root


class Release(NamedTuple):
    """A checkout and the settings that it knows."""

    root: Path
    settings: set[str] | None

    def given_to(self, worker: Worker) -> None:
        worker.root, worker.known_settings = self.root, self.settings


def settings_of(root: Path) -> set[str]:
    """Compiles its fold too: a worker's start would take a minute."""
    code = (
        "from app.features.columns import compile_fold; from app.settings import Settings, values; "
        "compile_fold(); print(*values(Settings()))"
    )
    done = subprocess.run(  # noqa: S603  # the command is our own list of words
        [sys.executable, "-c", code],
        cwd=root,
        env=dict(os.environ),
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stdout.split())


async def test_an_upgrade_and_a_downgrade_under_load_lose_nothing(
    deployment: Deployment, previous: Path
) -> None:
    """Of two workers the first is replaced in order and the second is killed, three times."""
    before, now = Release(previous, settings_of(previous)), Release(REPOSITORY, None)
    workers = one, two = deployment.worker("one"), deployment.worker("two")
    for worker in workers:
        before.given_to(worker)
        worker.start()
        worker.wait_started()
    sending = deployment.sending(traffic(EVENTS, seed=3, customers=500), rate=RATE)
    for turn, release in enumerate((now, before, now)):
        await deployment.decided((2 * turn + 1) * EVENTS // 8)
        # In a thread: while the event loop is blocked, nothing is sent.
        assert await asyncio.to_thread(one.terminate) == 0
        release.given_to(one)
        one.start()
        await deployment.decided((2 * turn + 2) * EVENTS // 8)
        await asyncio.to_thread(two.kill)
        release.given_to(two)
        two.start()
    await sending
    await deployment.drained()
    assert two.terminate() == 0
    await deployment.produce(traffic(100, seed=4, customers=500))
    await deployment.drained()
    assert one.terminate() == 0

    await check_guarantee(deployment, one)
