"""Analytics and crm beside the scoring: each is exact after kills, and none delays another."""

import asyncio
import json
import os
import signal
from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest

from app.adapters.serde.json_codec import encode_event
from app.reports.batch import batch_report
from app.reports.day_report import DayReport
from app.reports.incremental import kept_report
from app.traffic.produce import produce_raw
from tests.support.commands import call
from tests.support.deployment import Deployment, check_guarantee
from tests.support.entities import label
from tests.support.groups import Groups
from tests.support.traffic import DAY_MS, traffic

pytestmark = pytest.mark.integration

EVENTS = 1_500
PAST_ITS_SESSION_SECONDS = 6


@pytest.fixture
def groups(deployment: Deployment) -> Groups:
    return Groups(deployment)


async def test_repeated_kills_leave_every_offset_in_exactly_one_file_and_counted_once(
    deployment: Deployment, groups: Groups
) -> None:
    """Seen to fail while a worker that starts on its files did not commit where they end."""
    random, topics = Random(3), deployment.settings.topics
    scorer, analytics = deployment.worker(), groups.analytics()
    scorer.start()
    for seed in range(4):
        batch = list(traffic(EVENTS, seed))
        analytics.start()
        analytics.wait_started()
        labels = [label(one, one.event_time + DAY_MS, is_fraud=random.random() < 0.7) for one in batch[::3]]
        records = [(one.terminal_id.encode(), encode_event(one)) for one in labels]
        await produce_raw(records, topic=topics.labels, kafka=deployment.servers)
        await deployment.produce(batch)
        await deployment.decided((seed + 1) * EVENTS // 2)
        await asyncio.sleep(random.uniform(0, 3))
        analytics.kill()
    await deployment.drained()
    analytics.start()
    await groups.stored()
    assert analytics.terminate() == 0

    assert await groups.on_topic(topics.decisions) == groups.in_files("decisions")
    assert await groups.on_topic(topics.labels) == groups.in_files("labels")
    decisions = await groups.events(topics.decisions)
    day = Counter(one["event_time"] // DAY_MS for one in decisions).most_common(1)[0][0]
    report = check_report(groups, day)
    unique = {one["decision_id"]: one for one in decisions if one["event_time"] // DAY_MS == day}
    assert len(unique) == report.total.transactions
    assert report.total.judged

    asked = call(deployment, "report", report.day, "--directory", str(groups.files), "--json", "--out",
                 str(deployment.directory / "report.html"))  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["total"]["transactions"] == report.total.transactions
    page = (deployment.directory / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3


def check_report(groups: Groups, day: int) -> DayReport:
    """The incremental report, which must equal the report of the files."""
    name = datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date().isoformat()
    kept = kept_report(groups.files, day, name, top=20).report
    assert batch_report(groups.files, name, top=20) == kept
    return kept


@pytest.mark.slow
async def test_scoring_is_unaffected_by_a_paused_or_crashing_analytics_worker(
    deployment: Deployment, groups: Groups
) -> None:
    scorer, analytics = deployment.worker(), groups.analytics()
    scorer.start()
    analytics.start()
    analytics.wait_started()
    os.kill(analytics.pid, signal.SIGSTOP)
    await deployment.produce(traffic(3 * EVENTS, seed=1))
    await deployment.drained()  # it has decided everything while the other stands still
    await asyncio.sleep(PAST_ITS_SESSION_SECONDS)
    os.kill(analytics.pid, signal.SIGCONT)
    assert analytics.wait(60) == 70  # it was paused past its session

    for life in range(3):  # each finds a backlog, and dies over it
        await deployment.produce(traffic(EVENTS, seed=2 + life))
        analytics.start()
        analytics.wait_started()
        await asyncio.sleep(life)
        analytics.kill()
    await deployment.drained()
    analytics.start()
    await groups.stored()

    assert analytics.terminate() == 0
    assert scorer.terminate() == 0
    await check_guarantee(deployment, scorer)
    topic = deployment.settings.topics.decisions
    assert await groups.on_topic(topic) == groups.in_files("decisions")


async def test_a_customer_is_asked_once_though_workers_die_and_the_answer_becomes_a_label(
    deployment: Deployment, groups: Groups
) -> None:
    topics = deployment.settings.topics
    scorer, crm = deployment.worker(), groups.crm()
    scorer.start()
    for seed in range(3):
        crm.start()
        crm.wait_started()
        await deployment.produce(traffic(EVENTS, seed))
        await deployment.decided((seed + 1) * EVENTS // 2)
        crm.kill()
    await deployment.drained()
    crm.start()
    await groups.asked()

    alerts = await groups.events(topics.alerts)
    asked = await groups.events(topics.notifications)
    by_customer = {one["customer_id"]: one["notification_id"] for one in asked}
    assert {one["customer_id"] for one in alerts} == set(by_customer)
    assert len({one["notification_id"] for one in asked}) == len(by_customer)

    chosen = min(map(str, by_customer.values()))
    answered = call(deployment, "crm", "answer", chosen, "--fraud")
    assert answered.returncode == 0, answered.stderr
    await groups.asked()
    (answer,) = await groups.events(topics.labels)
    question = next(one for one in asked if one["notification_id"] == chosen)
    assert (answer["transaction_id"], answer["source"], answer["is_fraud"]) == (
        question["transaction_id"],
        "customer",
        True,
    )
    listed = call(deployment, "crm", "questions", "--json")
    assert len(listed.stdout.splitlines()) == len(asked)
    assert crm.terminate() == 0
