"""The copy of reference tables: a record that is no change event is named and left out; its neighbours are copied."""

import asyncio
import json
from typing import Any, Self, cast

import pytest
import structlog

from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.redis.reference_redis import ReferenceStore
from app.reference import redis_sync, row_changes
from app.reference.row_changes import changes
from app.settings import Settings
from tests.unit.loops.loop import Named, Record, family

KINDS = {"topic": "customer"}


def change(customer: Any = "c1", lsn: Any = 5) -> dict[str, Any]:
    row = {"customer_id": customer, "city": "Bern", "age": 7}
    return {"source": {"lsn": lsn}, "op": "c", "before": None, "after": row}


class Pipeline:
    """Takes commands as redis-py does, whose arguments are text, bytes or numbers."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def eval(self, *arguments: Any) -> None:
        for each in arguments:
            (each if isinstance(each, bytes) else str(each)).__len__()
        self.commands.append(arguments)

    async def execute(self) -> list[int]:
        return [1] * len(self.commands)


class Redis:
    def __init__(self) -> None:
        self.commands = Pipeline()

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return self.commands


async def test_no_record_of_the_family_ends_the_loop_or_changes_its_neighbours() -> None:
    for name, hostile in family(change(), b"c1"):
        redis = Redis()
        records = [Record(b"k", json.dumps(change(one)).encode()) for one in ("c2", "c3")]
        with Named(name):
            found = changes([records[0], hostile, records[1]], KINDS)
            await ReferenceStore(redis, "p").apply(found)
        assert {"c2", "c3"} <= {one.id for one in found}, name
        for command in redis.commands.commands:
            assert len(command[2]) < 300, name
            assert len(command[3]) == 16, name


@pytest.mark.parametrize("lsn", [-1, 2**63, 2**64, 2**200])
def test_a_position_that_no_database_has_does_not_pin_a_row(lsn: int) -> None:
    """Positions are compared as text of 16 digits: a longer one would be newer than every other for good."""
    assert changes([Record(b"k", json.dumps(change(lsn=lsn)).encode())], KINDS) == []


@pytest.mark.parametrize("customer", ["x" * 256, 2**63, 10**400, True, [], {}, 1.5, None, ""])
def test_an_id_that_is_none_is_refused(customer: Any) -> None:
    assert changes([Record(b"k", json.dumps(change(customer)).encode())], KINDS) == []


def test_refused_records_are_counted_and_logged_once_for_a_batch() -> None:
    """Anyone with the right to write to the topics could fill a log with a line each."""
    refused: list[int] = []
    hostile = [Record(b"k", b"{", offset) for offset in range(5)]
    with structlog.testing.capture_logs() as logged:
        found = changes(
            [Record(b"k", json.dumps(change()).encode()), *hostile], KINDS, on_refused=refused.append
        )

    assert (len(found), refused) == (1, [5])
    assert [(line["event"], line["records"], line["first"]) for line in logged] == [
        ("not_a_change_event", 5, "topic-0:0")
    ]


async def test_written_older_and_refused_changes_are_counted() -> None:
    metrics = PrometheusMetrics()
    settings, until = Settings(), asyncio.Event()
    named = [
        Record(b"k", value, topic=settings.cdc.customers_topic)
        for value in (b"{", _event("c1"), _event("c2"))
    ]
    found = await redis_sync._read(settings, named, row_changes.plain_value, until, metrics)

    class Store:
        async def apply(self, changes: list[object]) -> int:
            return len(changes) - 1

    assert found is not None
    assert await redis_sync._write(settings, cast(Any, Store()), found, until, metrics)
    counted = {
        result: metrics.registry.get_sample_value("fraudstream_reference_changes_total", {"result": result})
        for result in ("written", "older", "refused")
    }
    assert counted == {"written": 1, "older": 1, "refused": 1}


def _event(customer: str) -> bytes:
    return json.dumps(change(customer)).encode()
