"""EntityLookup in a real Redis that hangs, stops, is flushed, or is restored from an old copy."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import pytest

from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.redis.activity_redis import ActivityReader, ActivityWriter
from app.adapters.redis.client import connect
from app.settings import RedisSettings
from app.streaming.entity_store import redis_publisher
from app.streaming.entity_store.lookup import EntityLookup
from app.streaming.entity_store.redis_publisher import RedisPublisher
from tests.support.servers.redis_servers import RedisServer
from tests.unit.clock import Clock

pytestmark = pytest.mark.integration

PARTITIONS = 2
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.01


class Store:
    """The entities' database."""

    def __init__(self) -> None:
        self.states: dict[int, dict[bytes, bytes]] = {partition: {} for partition in range(PARTITIONS)}

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return [self.states[partition].get(key) for key in keys]

    def scan(self, partition: int, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return sorted(item for item in self.states[partition].items() if item[0] > after)[:limit]


class Deployed:
    """A publisher and a reader on one server. Every entity of these tests belongs to partition 0 or to both."""

    def __init__(self, server: RedisServer, prefix: str) -> None:
        self.server = server
        self.settings = RedisSettings(
            url=server.url, key_prefix=prefix, read_deadline_seconds=2.0, write_timeout_seconds=2.0
        )
        self.store = Store()
        self.metrics = PrometheusMetrics()
        self.clock = Clock()
        """The reader's clock; it advances only when a test sets it."""
        self._clients = [connect(self.settings, 2.0), connect(self.settings, 2.0)]
        self.reader = ActivityReader(self._clients[0], prefix, PARTITIONS)
        self.publisher = self.new_publisher()

    def new_publisher(self) -> RedisPublisher:
        writer = ActivityWriter(self._clients[1], self.settings.key_prefix)
        return RedisPublisher(writer, self.store, self.settings, self.metrics)

    def change(self, position: int, **states: bytes) -> None:
        """Entities of partition 0."""
        changed = {f"terminal:{name}".encode(): state for name, state in states.items()}
        self.store.states[0] |= changed
        self.publisher.changed(0, changed, str(position))

    async def read(self, *names: str) -> dict[str, bytes]:
        found = await self.reader.read([f"terminal:{name}" for name in names])
        return {key.removeprefix("terminal:"): state for key, state in found.items()}

    async def wait(self, *names: str, until: Callable[[dict[str, bytes]], Any]) -> dict[str, bytes]:
        """Poll until the expected values are read."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                try:
                    found = await self.read(*names)
                except Exception:  # noqa: BLE001  # it may be away for a while
                    found = {}
                if until(found):
                    return found
                await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path_factory.mktemp("redis"))
    yield started
    started.stop()


@pytest.fixture
async def deployed(
    server: RedisServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Deployed]:
    monkeypatch.setattr(redis_publisher, "CHECK_SECONDS", 0.05)
    made = Deployed(server, request.node.name)
    made.publisher.begin(0, ["-1"])
    made.publisher.begin(1, ["-1"])
    made.publisher.start()
    yield made
    server.resume()
    await made.publisher.stop()
    await made.close()


def marks(deployed: Deployed) -> list[bytes | None]:
    with deployed.server.client() as client:
        names = [f"{deployed.settings.key_prefix}:complete:{partition}" for partition in range(PARTITIONS)]
        found: list[bytes | None] = client.mget(names)
        return found


async def test_published_activities_are_readable_and_others_are_never_seen(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")

    assert {"m1": b"one", "m2": b""} == await deployed.wait(
        "m1", "m2", until=lambda found: found.get("m1") and "m2" in found
    )


async def test_an_empty_redis_gives_unknown_activities(server: RedisServer) -> None:
    """Rather than that all entities were never seen."""
    unwritten = Deployed(server, "unwritten")

    assert {} == await unwritten.read("m1", "m2")
    await unwritten.close()


async def test_a_flushed_redis_is_written_again(deployed: Deployed) -> None:
    deployed.change(5, **{f"m{number}": b"state" for number in range(1_200)})
    await deployed.wait("m0", "m1199", until=lambda found: found == {"m0": b"state", "m1199": b"state"})
    deployed.server.flush()

    await deployed.wait("m0", "m1199", until=lambda found: found == {"m0": b"state", "m1199": b"state"})


async def test_a_restarted_redis_is_written_again_with_later_changes(
    deployed: Deployed,
) -> None:
    deployed.change(5, m1=b"one", m2=b"two")
    await deployed.wait("m1", until=lambda found: found.get("m1") == b"one")
    deployed.server.stop()
    deployed.change(6, m1=b"newer")
    deployed.server.start()

    await deployed.wait("m1", "m2", until=lambda found: found == {"m1": b"newer", "m2": b"two"})


async def test_a_redis_that_resumes_after_a_pause_is_brought_up_to_date(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", until=lambda found: found.get("m1") == b"one")
    deployed.server.pause()
    deployed.change(6, m1=b"newer")
    await asyncio.sleep(0.1)
    deployed.server.resume()

    await deployed.wait("m1", until=lambda found: found.get("m1") == b"newer")


async def test_a_redis_restored_from_an_older_copy_is_detected(deployed: Deployed) -> None:
    """As after a restart from a snapshot: values and marks are all there, and all of yesterday."""
    deployed.change(5, m1=b"old")
    await deployed.wait("m1", until=lambda found: found.get("m1") == b"old")
    (old_mark, _) = marks(deployed)
    deployed.change(6, m1=b"new")
    await deployed.wait("m1", until=lambda found: found.get("m1") == b"new")
    prefix = deployed.settings.key_prefix
    with deployed.server.client() as client:
        client.mset({f"{prefix}:complete:0": old_mark or b"", f"{prefix}:activity:terminal:m1": b"old"})

    await deployed.wait("m1", until=lambda found: found.get("m1") == b"new")


async def test_a_new_owner_writes_nothing_to_a_complete_redis(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", "m2", until=lambda found: "m2" in found and found["m1"] == b"one")
    deployed.store.states[0] = {b"terminal:m1": b"would be written"}
    successor = deployed.new_publisher()
    successor.begin(0, ["5"])
    await successor.stop()

    assert {"m1": b"one"} == await deployed.read("m1")


async def test_a_new_owner_writes_everything_to_an_outdated_redis(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", until=lambda found: found.get("m1") == b"one")
    deployed.store.states[0] = {b"terminal:m1": b"newer", b"terminal:m2": b"two"}
    successor = deployed.new_publisher()
    deployed.publisher.revoke()
    successor.begin(0, ["6"])
    await successor.stop()

    assert {"m1": b"newer", "m2": b"two"} == await deployed.read("m1", "m2")


async def test_more_changes_than_the_buffer_holds_are_all_written(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_publisher, "PENDING_ENTITIES", 10)
    deployed.server.pause()
    for number in range(100):
        deployed.change(number, **{f"m{number}": b"state"})
    deployed.server.resume()
    names = [f"m{number}" for number in range(100)]

    await deployed.wait(*names, until=lambda found: found == dict.fromkeys(names, b"state"))


async def test_a_former_owner_does_not_overwrite_its_successor(deployed: Deployed) -> None:
    """The successor's mark prevents the write."""
    writer = ActivityWriter(connect(deployed.settings, 2.0), "others")
    await writer.begin(0, b"complete:5")
    assert await writer.write(0, {b"terminal:m1": b"successor's"}, {b"complete:5"}, b"complete:9")

    assert not await writer.write(0, {b"terminal:m1": b"old"}, {b"complete:5"}, b"complete:6")
    reader = ActivityReader(writer._client, "others", 1)
    assert {"terminal:m1": b"successor's"} == await reader.read(["terminal:m1"])
    await writer._client.aclose()


def view(deployed: Deployed, **changes: Any) -> EntityLookup:
    """As a scoring worker has it, with deadlines that end while the test looks on."""
    settings = msgspec.structs.replace(deployed.settings, **changes)
    return EntityLookup(deployed.reader, settings, deployed.metrics, deployed.clock)


async def ask(activities: EntityLookup, *names: str, hour: int = 7) -> dict[str, bytes]:
    looked = activities.look([f"terminal:{name}" for name in names], hour)
    known = await activities.request(looked) if looked.missing else looked.cached
    return {key.removeprefix("terminal:"): state for key, state in known.items()}


async def test_scoring_reads_an_activity_once_and_caches_it(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", "m2", until=lambda found: found.get("m1") and "m2" in found)
    activities = view(deployed)
    assert {"m1": b"one", "m2": b""} == await ask(activities, "m1", "m2")

    looked = activities.look(["terminal:m1", "terminal:m2"], 7)
    assert ({"terminal:m1": b"one", "terminal:m2": b""}, []) == looked[:2]
    assert ["terminal:m1"] == activities.look(["terminal:m1"], 8).missing


async def test_a_hanging_redis_costs_a_few_deadlines_until_the_breaker_opens(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", until=lambda found: found.get("m1"))
    activities = view(deployed, read_deadline_seconds=0.05, breaker_failures=2, breaker_pause_seconds=1.0)
    deployed.server.pause()
    for _ in range(2):
        deployed.clock.seconds += 0.05
        assert {} == await ask(activities, "m1")
    assert ({}, []) == activities.look(["terminal:m1"], 7)[:2]
    deployed.server.resume()
    await deployed.wait("m1", until=lambda found: found.get("m1"))
    deployed.clock.seconds += 1.0

    assert {"m1": b"one"} == await ask(activities, "m1")
    assert {"m1": b"one", "m2": b""} == await ask(activities, "m1", "m2")
    await activities.stop()


async def test_a_restarted_redis_is_read_again(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", until=lambda found: found.get("m1"))
    activities = view(deployed, breaker_failures=1, breaker_pause_seconds=1.0)
    deployed.server.stop()
    assert {} == await ask(activities, "m1")
    assert ({}, []) == activities.look(["terminal:m1"], 7)[:2]
    deployed.server.start()
    await deployed.wait("m1", until=lambda found: found.get("m1"))
    deployed.clock.seconds += 1.0

    assert {"m1": b"one"} == await ask(activities, "m1")


async def test_cached_activities_are_used_while_redis_is_away(deployed: Deployed) -> None:
    deployed.change(5, m1=b"one")
    await deployed.wait("m1", until=lambda found: found.get("m1"))
    activities = view(deployed, breaker_failures=1)
    await ask(activities, "m1")
    deployed.server.stop()

    assert {"m1": b"one"} == await ask(activities, "m1", "m2")
    deployed.server.start()


async def test_without_a_redis_activities_are_unknown(deployed: Deployed) -> None:
    activities = EntityLookup(None, RedisSettings(), deployed.metrics, deployed.clock)

    assert {} == await ask(activities, "m1")
