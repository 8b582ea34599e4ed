"""The copy of reference tables: a record that is no change event is named and left out; its neighbours are copied."""

import json
from typing import Any, Self

import pytest

from app.adapters.redis.reference_redis import ReferenceStore
from app.reference.redis_sync import changes
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
