"""What power loss left of the small files of an earlier release: they are empty, and the worker starts and is right."""

import pytest

from app.adapters.disk.data_dir import CHANGELOG_FILE, IDENTITY_FILE, databases
from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration


async def test_a_worker_with_empty_files_restores_its_profiles_from_the_changelog(
    deployment: Deployment,
) -> None:
    worker = deployment.worker()
    worker.start()
    sending = deployment.sending(traffic(2_000, seed=6), rate=500)
    await deployment.decided(500)
    worker.kill()
    before = databases(worker.data_dir)
    for name in (CHANGELOG_FILE, IDENTITY_FILE):
        (worker.data_dir / name).write_bytes(b"")

    worker.start()
    await sending
    await deployment.drained()
    assert worker.terminate() == 0
    assert before
    assert all(path.with_name(f"{path.name}.corrupt-1").is_dir() for path in before)
    assert worker.lines_with("the id of its changelog is lost") == len(before)
    assert all((worker.data_dir / name).read_bytes() for name in (CHANGELOG_FILE, IDENTITY_FILE))
    await check_guarantee(deployment, worker)
