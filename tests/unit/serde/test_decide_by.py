"""``decide_by``, the time at which an answer is needed, in records and in rows of tables."""

from typing import Any

import msgspec
import pytest

from app.adapters.column_mapping import CONTRACT
from app.adapters.mapped_values.rows import MappedRows
from app.domain.transaction import Transaction

FIELDS: dict[str, Any] = {
    "transaction_id": "t1",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": 1_760_000_000_000,
    "amount_minor": 100,
    "currency": "EUR",
}


def test_it_is_optional_and_not_written_where_it_is_missing() -> None:
    assert msgspec.convert(FIELDS, Transaction).decide_by is None
    assert b"decide_by" not in msgspec.json.encode(msgspec.convert(FIELDS, Transaction))


@pytest.mark.parametrize("value", [-1, 253_402_300_800_000, "soon", 1.5, True])
def test_a_value_that_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="decide_by"):
        msgspec.convert(FIELDS | {"decide_by": value}, Transaction)


def test_a_row_of_a_table_has_it_in_the_unit_of_its_times() -> None:
    mapping = msgspec.structs.replace(CONTRACT, time_unit="s", columns={"decide_by": "answer_until"})
    row = FIELDS | {"event_time": 1_760_000_000, "answer_until": 1_760_000_002}

    assert MappedRows(mapping).transaction(row).decide_by == 1_760_000_002_000
