"""Folding the control topic: the latest order, one report per worker, unreadable records skipped."""

from typing import Any, NamedTuple

from app.adapters.topic_records.control_log import (
    ControlLog,
    farewell_record,
    order_record,
    report_record,
    skip_record,
    withdrawal_record,
)
from app.domain.control import CHAMPION_KEY, ModelOrder, SkipOrder, WorkerReport
from app.domain.decision import ModelReference

MODEL = ModelReference(name="baseline", version="1", digest="d")
ORDER = ModelOrder(model=MODEL, ordered_at=5)
REPORT = WorkerReport(worker="w1", host="h", runs=MODEL, since=1, reported_at=2)


class Read(NamedTuple):
    key: bytes | None
    value: bytes | None
    offset: int = 0


def read(record: Any) -> Read:
    return Read(record.key, record.value)


def test_the_newest_order_and_report_are_kept() -> None:
    log = ControlLog()

    assert log.apply(read(order_record(ORDER)))
    assert not log.apply(read(report_record(REPORT)))
    assert (log.orders.champion, log.reports) == (ORDER, {"w1": REPORT})


def test_a_tombstone_withdraws_an_order_or_removes_a_report() -> None:
    log = ControlLog()
    for record in (order_record(ORDER), report_record(REPORT), farewell_record("w1")):
        log.apply(read(record))

    assert log.apply(read(withdrawal_record(CHAMPION_KEY)))
    assert (log.orders.champion, log.reports) == (None, {})


def test_an_unreadable_record_is_skipped() -> None:
    log = ControlLog()
    log.apply(read(order_record(ORDER)))

    for key, value in ((b"champion", b"{}"), (b"worker/w1", b"\xff"), (None, b""), (b"other", b"1")):
        assert not log.apply(Read(key, value))
    assert (log.orders.champion, log.reports) == (ORDER, {})


def test_orders_to_leave_records_out_are_kept_and_are_no_orders_of_models() -> None:
    order = SkipOrder(
        topic="payments",
        topic_id="a1",
        partition=3,
        offset=17,
        next_offset=20,
        why="the batch has a wrong checksum",
        reason="disk",
        ordered_by="anna@ops",
        ordered_at=1,
    )
    record = skip_record(order)
    log = ControlLog()
    assert not log.apply(read(record))
    assert list(log.skips.values()) == [order]
    assert record.key == b"skip/payments/3/17"
    assert not log.apply(Read(b"skip/payments/3/18", None))
    assert list(log.skips.values()) == [order]
