"""Labels of an aborted transaction are in no activity, no file and no report."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.serde.json_codec import encode_event
from app.domain.label import Label
from app.local.state import Stack
from app.reports.incremental import kept_report
from tests.support import reading
from tests.support.deployment import Deployment
from tests.support.entities import Entities, check_activities, label, recounted
from tests.support.groups import Groups
from tests.support.traffic import DAY_MS, traffic

pytestmark = pytest.mark.integration


async def write(deployment: Deployment, labels: Iterable[Label], *, commit: bool) -> None:
    """Send all in one transaction, and end it."""
    producer = AIOKafkaProducer(
        bootstrap_servers=deployment.servers, transactional_id=f"{deployment.settings.worker.app_id}-bank"
    )
    async with producer:
        await producer.begin_transaction()
        for one in labels:
            topic = deployment.settings.topics.labels
            await producer.send_and_wait(topic, encode_event(one), one.terminal_id.encode())
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def test_aborted_labels_change_nothing(deployment: Deployment, stack: Stack) -> None:
    entities, groups = Entities(deployment, stack.redis), Groups(deployment)
    scorer, worker, analytics = entities.scorer(), entities.worker(), groups.analytics()
    for each in (scorer, worker, analytics):
        each.start()
    transactions = list(traffic(600, seed=5))
    known, aborted = (
        [label(one, one.event_time + DAY_MS) for one in transactions[first::4]] for first in range(2)
    )
    await deployment.produce(transactions)
    await write(deployment, known, commit=True)
    await write(deployment, aborted, commit=False)
    await write(deployment, known[:1], commit=True)
    await deployment.drained()
    await groups.stored()
    await entities.drained()
    for each in (scorer, worker, analytics):
        assert each.terminate() == 0

    newest = reading.newest_per_key(await deployment.read(entities.changelog))
    check_activities(newest, await recounted(deployment))
    assert newest == entities.in_redis()
    labels = await groups.on_topic(deployment.settings.topics.labels)
    assert labels.total() == len(known) + 1
    assert labels == groups.in_files("labels")
    days = {one.event_time // DAY_MS for one in transactions}
    names = {day: datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date().isoformat() for day in days}
    frauds = {
        day: kept_report(groups.files, day, name, top=1).report.frauds_known for day, name in names.items()
    }
    assert frauds == {day: sum(one.event_time // DAY_MS == day for one in known) for day in days}
