"""Reference rows in a real Redis equal the table after repeated and reordered change events."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from app.adapters.cdc.reference_events import ReferenceChange
from app.adapters.redis.client import connect
from app.adapters.redis.reference_redis import ReferenceStore
from app.commands.data.tail import _with_reference
from app.demo.reconciliation import Reconciliation
from app.settings import RedisSettings, Settings
from tests.support.servers.redis_servers import RedisServer
from tests.unit.demo.test_reconciliation import alert

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path / "redis")
    yield started
    started.stop()


@pytest.fixture
async def reference(server: RedisServer) -> AsyncIterator[ReferenceStore]:
    client = connect(RedisSettings(url=server.url), 5.0)
    yield ReferenceStore(client, "test")
    await client.aclose()


def history(seed: int, changes: int = 200) -> list[ReferenceChange]:
    """Of ten rows: written, changed, deleted, written again."""
    random = Random(seed)
    return [
        ReferenceChange(
            "terminal",
            f"m{random.randrange(10)}",
            2**40 + number * 17,
            None if random.random() < 0.3 else {"name": f"n{number}"},
        )
        for number in range(changes)
    ]


def newest(changes: list[ReferenceChange]) -> dict[str, dict[str, str]]:
    return {change.id: change.row or {} for change in changes}


async def found(reference: ReferenceStore, names: list[str]) -> dict[str, dict[str, str]]:
    rows = await reference.find([("terminal", name) for name in names])
    return dict(zip(names, rows, strict=True))


async def test_redis_holds_the_rows_of_the_table_after_any_form_of_change_event(
    reference: ReferenceStore,
) -> None:
    events = history(seed=3)
    expected, random = newest(events), Random(4)

    await reference.apply(events)
    assert expected == await found(reference, list(expected))

    for _ in range(5):  # earlier events again, from a random one on, or shuffled
        again = events[random.randrange(len(events)) :] + random.sample(events, 50)
        await reference.apply(again)
        assert expected == await found(reference, list(expected))


async def test_a_repeated_or_older_change_is_ignored(reference: ReferenceStore) -> None:
    old, new = (ReferenceChange("customer", "c1", lsn, {"segment": str(lsn)}) for lsn in (15, 16))
    gone = ReferenceChange("customer", "c1", 17, None)

    assert [1, 0] == [await reference.apply([new]), await reference.apply([old])]
    assert [{"segment": "16"}] == await reference.find([("customer", "c1")])
    assert [1, 0] == [await reference.apply([gone]), await reference.apply([new, old])]
    assert [{}] == await reference.find([("customer", "c1")])


async def test_a_row_that_was_never_sent_is_unknown(reference: ReferenceStore) -> None:
    assert [{}, {}] == await reference.find([("customer", "c1"), ("terminal", "m1")])


async def test_an_alert_is_shown_with_reference_data_and_without_while_redis_is_away(
    server: RedisServer, reference: ReferenceStore, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = {"name": "Fuel 24", "city": "Lyon", "country": "FR"}
    await reference.apply([ReferenceChange("terminal", "m1", 7, terminal)])
    settings = Settings(redis=RedisSettings(url=server.url, key_prefix="test", write_timeout_seconds=1.0))
    show, shown = _with_reference(settings), msgspec.json.encode(alert(Reconciliation("x"), 1))

    await show(shown)
    assert "at Fuel 24, Lyon, FR" in capsys.readouterr().out
    server.pause()
    await show(shown)
    server.resume()
    assert "(Redis does not answer)" in capsys.readouterr().out
