"""A worker that cannot keep its guarantees does not start: exit code 2, and a message with the remedy."""

import shutil
from pathlib import Path

import pytest

from app.adapters.kafka.admin import NewTopic, connect
from app.local.state import Stack
from app.topics import provisioning
from tests.support.deployment import Deployment

pytestmark = pytest.mark.integration

REFUSED = 2


@pytest.fixture
async def unprovisioned(stack: Stack, models: Path, tmp_path: Path) -> Deployment:
    return Deployment(stack, tmp_path, models)


async def test_a_wrong_number_of_partitions_is_refused(unprovisioned: Deployment) -> None:
    """Customers would part from their profiles."""
    topic = unprovisioned.settings.topics.alerts
    alerts = NewTopic(name=topic, partitions=3, replication_factor=1, configs={})
    async with connect(unprovisioned.servers) as admin:
        await admin.create([alerts])
    worker = unprovisioned.worker()
    worker.start()

    assert worker.wait() == REFUSED
    assert f"{topic}: partitions: expected 4, found 3" in worker.text()
    assert "Traceback" not in worker.text()


async def test_an_altered_model_is_refused(unprovisioned: Deployment, tmp_path: Path) -> None:
    await provisioning.ensure(unprovisioned.settings)
    altered = tmp_path / "models"
    shutil.copytree(unprovisioned.models, altered)
    model = altered / "large-amounts" / "1" / "model.skops"
    content = bytearray(model.read_bytes())
    content[1_000] ^= 1
    model.write_bytes(content)
    worker = unprovisioned.worker(FRAUDSTREAM_MODEL_DIR=str(altered))
    worker.start()

    assert worker.wait() == REFUSED
    assert "BundleCorrupt" in worker.text()
    assert "model.skops was altered" in worker.text()
    assert "Traceback" not in worker.text()
