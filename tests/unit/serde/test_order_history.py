"""Past orders are kept with author and reason under a key of their own, and change nothing on workers."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.records import OutRecord
from app.adapters.topic_records.control_log import ControlLog, order_record, skip_record
from app.adapters.topic_records.order_history import past_order, past_record
from app.adapters.topic_records.order_signatures import any_order
from app.domain.control import ModelOrder, Orders
from app.domain.orders.past_order import PastOrder
from app.errors import ConfigurationError
from tests.contract.golden_records import SKIP
from tests.support.wire.control_records import MODEL
from tests.support.wire.control_records import read as as_read


def read(record: OutRecord) -> Any:
    return as_read(record)


ORDER = ModelOrder(model=MODEL, ordered_at=5)
LONE_SURROGATE = b'{"key": "k", "order": {"a": "\\ud800"}, "ordered_by": "a", "reason": "r", "ordered_at": 1}'
PAST = PastOrder(
    key="champion",
    order=msgspec.to_builtins(ORDER),
    ordered_by="ana@desk",
    reason="fewer alerts",
    ordered_at=5,
)


def test_an_order_is_read_with_its_author_and_reason() -> None:
    found = past_order(read(past_record(PAST, "a1")), any_order)

    assert found is not None
    assert (found.ordered_by, found.reason, found.ordered_at) == ("ana@desk", "fewer alerts", 5)
    assert msgspec.convert(found.order, ModelOrder) == ORDER


def test_a_withdrawal_has_no_order() -> None:
    found = past_order(read(past_record(msgspec.structs.replace(PAST, order=None), "a1")), any_order)

    assert found is not None
    assert found.order is None


def test_orders_of_one_millisecond_have_different_keys() -> None:
    assert past_record(PAST, "a1").key != past_record(PAST, "a2").key


@given(st.lists(st.integers(0, 253_402_300_799_999), min_size=2, max_size=8))
def test_keys_are_in_the_order_of_time(times: list[int]) -> None:
    keys = [past_record(msgspec.structs.replace(PAST, ordered_at=at), "a1").key for at in sorted(times)]

    assert keys == sorted(keys, key=lambda key: key or b"")


def test_workers_leave_past_orders_alone() -> None:
    log = ControlLog()

    assert not log.apply(read(past_record(PAST, "a1")))
    assert (log.orders, log.refused) == (Orders(), 0)


def test_an_order_to_leave_records_out_is_part_of_the_history() -> None:
    found = past_order(read(skip_record(SKIP)), any_order)

    assert found is not None
    assert (found.ordered_by, found.reason) == (SKIP.ordered_by, SKIP.reason)


@pytest.mark.parametrize(
    "value", [b"{}", b"[", b"\xff", b"null", b'{"key": 1}', b"9" * 100_000, LONE_SURROGATE]
)
def test_a_record_that_is_no_order_is_left_out(value: bytes) -> None:
    assert past_order(read(OutRecord(past_record(PAST, "a1").key, value)), any_order) is None


def test_an_order_without_the_required_signature_is_left_out() -> None:
    assert past_order(read(past_record(PAST, "a1")), lambda _: "it is not signed") is None


def test_an_order_in_force_is_no_past_one() -> None:
    assert past_order(read(order_record(ORDER)), any_order) is None


def test_an_author_that_its_readers_would_refuse_is_not_sent() -> None:
    with pytest.raises(ConfigurationError, match="would be refused"):
        past_record(msgspec.structs.replace(PAST, ordered_by="x" * 300), "a1")
