"""`fraudstream explain` on a real broker: alerts are reproduced bit for bit, altered fields and truncated logs are reported."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from app.adapters.kafka.range_reader import open_range_reader
from app.commands.shared.history import fold_rules
from app.features.catalog import DELAYED, NAMES
from app.local.state import Stack
from app.replay.explain import Explanation, Published, explain
from app.replay.explanation_text import NOT_REBUILT
from app.replay.find_alert import Period, find_alert, read_alert
from app.replay.rescoring import bundle_of
from app.replay.verdict import Verdict
from app.settings import ModelSettings
from tests.support.commands import call
from tests.support.deployment import Deployment, shared_deployment
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

CUSTOMERS = 12
GARBAGE = b'{"transaction_id": "never'


class Explainable(NamedTuple):
    """A deployment and its alerts in the order of the log."""

    deployment: Deployment
    alerts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def explainable(
    stack: Stack, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Explainable]:
    """For tests that only read; one that changes the topics has a deployment of its own."""
    deployment = Deployment(stack, tmp_path_factory.mktemp("explain"), models)
    with shared_deployment(deployment, alerts_of) as alerts:
        yield Explainable(deployment, alerts)


async def alerts_of(deployment: Deployment) -> list[dict[str, Any]]:
    """Alerts of few customers whose records are late, sent twice and broken as well, by a worker that was killed."""
    events = list(traffic(3_000, seed=8, customers=CUSTOMERS))
    worker = deployment.worker()
    worker.start()
    await deployment.produce(events[:1_500])
    await deployment.produce(events[900:1_200])
    await _garbage(deployment)
    await deployment.decided(1_200)
    worker.kill()
    await deployment.produce(events[1_400:])
    worker.start()
    await deployment.drained()
    assert worker.terminate() == 0
    found = [json.loads(record.value) async for record in deployment.scan(deployment.settings.topics.alerts)]
    return sorted(found, key=lambda alert: int(alert["source"]["offset"]))


async def _garbage(deployment: Deployment) -> None:
    """Send an invalid record for every customer."""
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as producer:
        for number in range(CUSTOMERS):
            await producer.send_and_wait(
                deployment.settings.topics.transactions, key=b"c%d" % number, value=GARBAGE
            )


def explained(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        raise AssertionError(done.stderr.decode()) from None


async def explain_here(deployment: Deployment, alert: dict[str, Any]) -> Explanation:
    """Explain in this process as the command does."""
    settings = deployment.settings
    published = Published(read_alert(json.dumps(alert).encode()), alert)
    async with open_range_reader(settings.kafka, settings.topics.transactions) as reader:
        return await explain(
            published,
            reader,
            bundle_of(ModelSettings(dir=str(deployment.models)), published.alert),
            fold_rules(settings),
        )


def kept(directory: Path, alert: dict[str, Any]) -> str:
    """Write the alert to a file; its path."""
    file = directory / "alert.json"
    file.write_text(json.dumps(alert), encoding="utf-8")
    return str(file)


async def test_an_alert_is_reproduced_bit_for_bit(
    explainable: Explainable,
) -> None:
    deployment, alerts = explainable
    (*_, last) = alerts
    done = call(deployment, "explain", last["alert_id"], "--json")
    found = explained(done)
    assert (0, "identical", []) == (done.returncode, found["verdict"], found["history_differences"])
    assert last["features"] == [line["rebuilt"] for line in found["features"]]
    assert last["source"]["offset"] == found["moments"][-1]["offset"]
    assert {"applied", "late", "repeated", "rejected"} == {moment["fate"] for moment in found["moments"]}
    for alert in alerts[:-1:50]:
        again = await explain_here(deployment, alert)
        assert (Verdict.IDENTICAL, [], []) == (
            again.verdict,
            again.history_differences,
            again.judgement_differences,
        )

    done = call(deployment, "explain", last["alert_id"], "--events", "5")
    assert b"bit for bit" in done.stdout
    assert last["transaction"]["terminal_id"].encode() in done.stdout
    delayed = [line for line in done.stdout.decode().splitlines() if NOT_REBUILT in line]
    assert len(NAMES[DELAYED]) + 1 == len(delayed)


async def test_an_alert_is_found_from_the_newest_back_within_its_period(
    explainable: Explainable,
) -> None:
    deployment, alerts = explainable
    # The killed worker may have published it before: the newest repeat is found.
    wanted = [alert for alert in alerts if alert["alert_id"] == alerts[0]["alert_id"]][-1]
    async with open_range_reader(deployment.settings.kafka, deployment.settings.topics.alerts) as reader:
        found = await find_alert(reader, wanted["alert_id"], Period())
        assert wanted == json.loads(found or b"")
        assert await find_alert(reader, "alert-unknown", Period()) is None
        assert (
            await find_alert(reader, wanted["alert_id"], Period(until_ms=wanted["scored_at"] - 60_000))
            is None
        )
        assert (
            await find_alert(reader, wanted["alert_id"], Period(since_ms=alerts[-1]["scored_at"] + 60_000))
            is None
        )


async def test_an_altered_field_of_an_alert_is_found(
    explainable: Explainable,
) -> None:
    deployment, alerts = explainable
    alert = alerts[-1]
    altered = {
        "score": alert | {"score": alert["score"] + 2**-52},
        "outcome": alert | {"outcome": "approve"},
        "customer_count_1h": alert | {"features": [*alert["features"][:3], 7.0, *alert["features"][4:]]},
        "reasons": alert | {"reasons": alert["reasons"][:-1]},
        "transaction.amount_minor": alert | {"transaction": alert["transaction"] | {"amount_minor": 1}},
    }
    for field, forged in altered.items():
        found = await explain_here(deployment, forged)
        fields = [one.field for one in found.history_differences + found.judgement_differences]
        assert Verdict.DIFFERENT == found.verdict
        assert field in fields


async def test_an_alert_from_a_file_is_compared_with_exactly_the_model_that_it_names(
    explainable: Explainable, tmp_path: Path
) -> None:
    deployment, alerts = explainable
    forged = call(deployment, "explain", "--alert", kept(tmp_path, alerts[0] | {"score": 0.999}), "--json")
    assert (1, "different") == (forged.returncode, explained(forged)["verdict"])
    other = alerts[0] | {"model": alerts[0]["model"] | {"digest": "0" * 64}}
    done = call(deployment, "explain", "--alert", kept(tmp_path, other))
    assert 1 == done.returncode
    assert b"another model of that name" in done.stderr
    assert b"FRAUDSTREAM_MODEL_DIR" in done.stderr


async def test_a_truncated_log_is_reported_as_such_and_not_as_a_difference(deployment: Deployment) -> None:
    alerts = await alerts_of(deployment)
    by_customer = Counter(alert["customer_id"] for alert in alerts)
    customer = by_customer.most_common(1)[0][0]
    first, *_, last = [alert for alert in alerts if alert["customer_id"] == customer]
    source = last["source"]
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.servers)
    await admin.start()
    position = TopicPartition(source["topic"], source["partition"])
    await admin.delete_records({position: RecordsToDelete(before_offset=source["offset"])})
    await admin.close()

    for alert, in_the_log in ((last, True), (first, False)):
        done = call(deployment, "explain", alert["alert_id"], "--json")
        found = explained(done)
        assert (1, "log_cut") == (done.returncode, found["verdict"])
        assert source["offset"] == found["span"]["begins"]
        assert in_the_log == bool(found["features"])
        assert [] == found["judgement_differences"]
    assert b"Retention has deleted" in call(deployment, "explain", last["alert_id"]).stdout
