"""Lists on a real broker: loaded before the first decision, followed within a second, imported again after a kill, read as of the past."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from app.adapters.kafka.records import OutRecord
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.topic_records.list_log import PARTITION, list_record
from app.adapters.topic_records.list_reader import open_list_reader, open_past_lists
from app.errors import ConfigurationError, ListsIncomplete, ListsTooLarge
from app.lists.changes import Action, ListChange
from app.operations.list_changes import read_lists, write
from app.settings import ListSettings, Settings, values
from app.streaming.lists.follower import ListsFollower
from tests.support.commands import COMMAND, call
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.integration

WITHIN_SECONDS = 1.0
MANY = 200_000
REASON = ("--reason", "case 4711", "--author", "analyst")


def change(*entries: str, action: Action = Action.ADD, **times: int) -> ListChange:
    return ListChange(
        list_name="blocked",
        entries=list(entries),
        action=action,
        reason="case 4711",
        author="analyst",
        at=time.time_ns() // 1_000_000,
        **times,
    )


async def written(settings: Settings, *changes: ListChange) -> int:
    return await write(settings, map(list_record, changes), lambda _: None)


def blocks(follower: ListsFollower, entry: str) -> bool:
    return entry in follower.current().at(time.time_ns() // 1_000_000)["blocked"]


@pytest.fixture
async def followers(deployment: Deployment) -> AsyncIterator[list[ListsFollower]]:
    """Two workers' lists, loaded and following."""
    await deployment.ensure_topics()
    await written(deployment.settings, change("d1", "d2"), change("d2", action=Action.REMOVE))
    found = [ListsFollower(deployment.settings, PrometheusMetrics()) for _ in range(2)]
    for one in found:
        await one.load()
    tasks = [asyncio.create_task(one.follow()) for one in found]
    yield found
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_restart_has_the_lists_and_changes_arrive_within_a_second(
    deployment: Deployment, followers: list[ListsFollower]
) -> None:
    assert [(one.offset, blocks(one, "d1"), blocks(one, "d2")) for one in followers] == [(1, True, False)] * 2
    await asyncio.sleep(1.0)  # they follow

    for number in range(5):
        entry, view = f"new-{number}", followers[0].current()
        offset = await written(deployment.settings, change(entry))
        deadline = time.monotonic() + WITHIN_SECONDS
        while not all(blocks(one, entry) for one in followers):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        assert [one.offset for one in followers] == [offset] * 2
        assert view.offset == offset - 1


async def test_a_worker_loads_the_lists_before_it_is_ready(deployment: Deployment) -> None:
    await deployment.ensure_topics()
    done = await asyncio.to_thread(call, deployment, "lists", "add", "blocked", "d1", "d2", *REASON)
    assert done.returncode == 0, done.stderr
    worker = deployment.worker()

    worker.start()
    worker.wait_started()

    log = worker.text()
    assert "lists_loaded" in log
    assert "entries=2" in log


async def test_a_worker_that_cannot_hold_the_lists_does_not_start(deployment: Deployment) -> None:
    await deployment.ensure_topics()
    await written(deployment.settings, change("d1", "d2", "d3"))
    small = deployment.worker(FRAUDSTREAM_LISTS_MAX_ENTRIES="2")

    small.start()

    assert small.wait() == 2
    assert "FRAUDSTREAM_LISTS_MAX_ENTRIES" in small.tail()
    refused = await asyncio.to_thread(
        call, deployment, "lists", "add", "blocked", "d4", *REASON, FRAUDSTREAM_LISTS_MAX_ENTRIES="3"
    )
    assert refused.returncode == 2
    assert len((await read_lists(deployment.settings)).state) == 3


async def test_an_import_that_was_killed_is_finished_when_it_is_repeated(
    deployment: Deployment, tmp_path: Path
) -> None:
    await deployment.ensure_topics()
    file, topic = tmp_path / "devices.txt", deployment.settings.topics.lists
    file.write_text("".join(f"device-{number:08}\n" for number in range(MANY)), encoding="utf-8")
    words = ("lists", "import", "blocked", str(file), *REASON, "--json")
    environment = {name: str(value) for name, value in values(deployment.settings).items()}

    importing = await asyncio.create_subprocess_exec(
        COMMAND, *words, cwd=REPOSITORY, env=os.environ | environment, stdout=asyncio.subprocess.DEVNULL
    )
    async with open_list_reader(deployment.settings) as reader:
        while await reader.end() < 20:
            assert importing.returncode is None, "it has ended before it could be killed"
            await asyncio.sleep(0.001)
    importing.kill()
    await importing.wait()

    before = len((await read_lists(deployment.settings)).state)
    assert 0 < before < MANY, topic
    repeated = await asyncio.to_thread(call, deployment, *words)
    assert json.loads(repeated.stdout)["changed"] == MANY - before, repeated.stderr
    state = (await read_lists(deployment.settings)).state
    assert len(state) == MANY
    again = json.loads((await asyncio.to_thread(call, deployment, *words)).stdout)
    assert again == {"list": "blocked", "changed": 0, "unchanged": MANY, "offset": state.offset}


async def test_the_past_is_read_at_any_offset_in_any_order(deployment: Deployment) -> None:
    await deployment.ensure_topics()
    settings = deployment.settings
    await written(
        settings, change("d1"), change("d2", valid_to_ms=50), change("d1", action=Action.REMOVE), change("d1")
    )

    async with open_past_lists(settings) as past:
        found = {
            offset: [entry for entry in ("d1", "d2") if entry in (await past.at(offset)).at(49)["blocked"]]
            for offset in (3, 0, 2, -1, 1)
        }
        with pytest.raises(ConfigurationError, match="no record at offset 4 yet"):
            await past.at(4)

    assert found == {-1: [], 0: ["d1"], 1: ["d1", "d2"], 2: ["d2"], 3: ["d1", "d2"]}


async def test_commands_show_who_changed_an_entry_why_and_when(deployment: Deployment) -> None:
    await deployment.ensure_topics()

    async def run(*words: str) -> tuple[int, list[dict[str, Any]]]:
        done = await asyncio.to_thread(call, deployment, "lists", *words, "--json")
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    await run("add", "blocked", "d1", *REASON, "--until", "2030-01-01")
    await run("remove", "blocked", "d1", "--reason", "customer called", "--author", "second")

    _, changes = await run("history", "blocked", "d1")
    assert [(one["offset"], one["action"], one["author"], one["reason"]) for one in changes] == [
        (0, "add", "analyst", "case 4711"),
        (1, "remove", "second", "customer called"),
    ]
    assert (await run("show", "blocked", "d1"))[0] == 1
    code, (then,) = await run("show", "blocked", "d1", "--offset", "0")
    assert (code, then["listed"], then["valid_to_ms"]) == (0, True, 1_893_456_000_000)
    assert await run("show", "blocked", "--offset", "0") == (
        0,
        [{"entry": "d1", "valid_to_ms": 1_893_456_000_000}],
    )
    assert await run("show", "blocked", "--offset", "0", "--at", "2030-01-01") == (0, [])
    assert await run("show", "blocked", "--at", "2020-01-01") == (0, [])


async def test_records_without_effect_are_counted_and_stop_nobody(deployment: Deployment) -> None:
    await deployment.ensure_topics()
    settings, metrics = deployment.settings, PrometheusMetrics()
    forged = [OutRecord(b"blocked", value) for value in (None, b"", b"{}", b"\xff", b"[" * 999)]
    await write(settings, [*forged, list_record(change("d1"))], lambda _: None)
    follower = ListsFollower(settings, metrics)

    await follower.load()

    assert (follower.offset, blocks(follower, "d1")) == (len(forged), True)
    page = metrics.page("").body.decode()
    assert f"list_records_refused_total {len(forged)}.0" in page


async def test_lists_whose_first_records_were_deleted_are_refused(deployment: Deployment) -> None:
    await deployment.ensure_topics()
    settings = deployment.settings
    await written(settings, change("d1"), change("d2"))
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.servers)
    await admin.start()
    await admin.delete_records({TopicPartition(settings.topics.lists, PARTITION): RecordsToDelete(1)})
    await admin.close()

    with pytest.raises(ListsIncomplete, match="begins at offset 1"):
        await ListsFollower(settings, PrometheusMetrics()).load()


async def test_lists_beyond_the_bound_are_refused(deployment: Deployment) -> None:
    await deployment.ensure_topics()
    await written(deployment.settings, change("d1", "d2"))
    small = msgspec.structs.replace(deployment.settings, lists=ListSettings(max_entries=1))
    with pytest.raises(ListsTooLarge, match="FRAUDSTREAM_LISTS_MAX_ENTRIES=1 "):
        await ListsFollower(small, PrometheusMetrics()).load()
