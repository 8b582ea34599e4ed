"""`fraudstream state` on a real broker: profiles are shown, verified and rebuilt."""

import json
import shutil
import subprocess
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.partitioner import partition_of
from tests.profile_format import read_profile
from tests.support import reading
from tests.support.commands import call
from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

CUSTOMERS = 50


@pytest.fixture
async def folded(deployment: Deployment) -> Deployment:
    """A deployment with profiles and a running worker."""
    worker = deployment.worker()
    worker.start()
    events = list(traffic(3_000, seed=11, customers=CUSTOMERS))
    for half in (events[:1_500], events[1_500:]):  # two versions at least of every profile
        await deployment.produce(half)
        await deployment.drained()
    return deployment


def output(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        raise AssertionError(done.stderr.decode()) from None


async def test_a_profile_is_the_same_in_the_changelog_and_on_the_disk_of_a_stopped_worker(
    folded: Deployment,
) -> None:
    (worker,) = folded.workers
    on_disk = ("state", "show", "c7", "--json", "--data-dir", str(worker.data_dir))
    assert b"is in use by the worker" in call(folded, *on_disk).stderr
    assert worker.terminate() == 0

    expected = read_profile(reading.newest_per_key(await folded.read(folded.changelog))[b"c7"])
    found = output(call(folded, "state", "show", "c7", "--json"))
    assert (expected.applied, expected.applied_offset) == (found["applied"], found["applied_offset"])
    assert [event.time_ms for event in expected.kept] == [event["event_time"] for event in found["events"]]
    assert found == output(call(folded, *on_disk))
    assert f"up to offset {expected.applied_offset}".encode() in call(folded, "state", "show", "c7").stdout
    assert 1 == call(folded, "state", "show", "unknown").returncode


async def test_verify_rebuilds_every_profile_and_finds_altered_ones(folded: Deployment) -> None:
    done = call(folded, "state", "verify", "--json")
    assert (0, {"equal": CUSTOMERS}) == (done.returncode, output(done)["profiles"])

    (worker,) = folded.workers
    assert worker.terminate() == 0
    records = await folded.read(folded.changelog)
    newest = reading.newest_per_key(records)
    oldest_of_c5 = next(record.value for record in records if record.key == b"c5")
    assert oldest_of_c5 != newest[b"c5"]
    appended = (
        (b"c5", oldest_of_c5),
        (b"c7", _altered(newest[b"c7"])),
        (b"c8", None),
        (b"never-came", newest[b"c9"]),
    )
    async with AIOKafkaProducer(bootstrap_servers=folded.servers) as producer:
        for key, value in appended:
            partition = partition_of(key, folded.partitions)
            await producer.send_and_wait(folded.changelog, key=key, value=value, partition=partition)

    done = call(folded, "state", "verify", "--json")
    found = output(done)
    assert (1, False) == (done.returncode, found["sound"])
    counts = {"equal": CUSTOMERS - 3, "overtaken": 1, "different": 1, "missing": 1, "unexpected": 1}
    assert counts == found["profiles"]
    assert {"c5": "overtaken", "c7": "different", "c8": "missing", "never-came": "unexpected"} == {
        one["customer_id"]: one["match"] for one in found["mismatches"]
    }


def _altered(profile: bytes) -> bytes:
    """Another terminal, or another transaction: the last word is a digest."""
    return profile[:-8] + bytes(8)


async def test_rebuild_restores_a_lost_changelog_and_workers_resume(
    deployment: Deployment,
) -> None:
    events = list(traffic(4_000, seed=12, customers=CUSTOMERS))
    worker = deployment.worker()
    worker.start()
    await deployment.produce(events[:2_000])
    await deployment.drained()
    assert b"are in the group" in call(deployment, "state", "rebuild").stderr
    assert worker.terminate() == 0
    assert b"holds profiles" in call(deployment, "state", "rebuild").stderr

    await deployment.produce(events[2_000:])  # not finished by anybody: the worker is to decide these
    await deployment.recreate_topic(deployment.changelog)
    shutil.rmtree(worker.data_dir)
    done = output(call(deployment, "state", "rebuild", "--json"))
    assert ({"profiles": CUSTOMERS, "records": 2_000, "cut": []}) == done

    worker.start()
    await deployment.drained()
    assert worker.terminate() == 0
    await check_guarantee(deployment, worker)
    assert all(len(repeats) == 1 for repeats in (await deployment.decisions()).values())
