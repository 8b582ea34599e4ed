"""Folding the control topic: the latest order, one report per worker, unreadable records skipped."""

import msgspec
import pytest

from app.adapters.kafka.records import OutRecord
from app.adapters.topic_records.control_log import (
    ControlLog,
    farewell_record,
    order_record,
    report_record,
    skip_record,
    stop_record,
    withdrawal_record,
)
from app.domain.control import (
    CHAMPION_KEY,
    CanaryStop,
)
from tests.support.wire.control_records import CANARY, ORDER, REPORT, SKIP, Read, read


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
    record = skip_record(SKIP)
    log = ControlLog()
    assert not log.apply(read(record))
    assert list(log.skips.values()) == [SKIP]
    assert record.key == b"skip/payments/3/17"
    assert not log.apply(Read(b"skip/payments/3/18", None))
    assert list(log.skips.values()) == [SKIP]


STOP = CanaryStop(worker="w1", reason="alerted too often", stopped_at=8)
STOPPED = msgspec.structs.replace(CANARY, stopped=STOP)


def test_a_report_stops_the_canary_in_force_and_no_other() -> None:
    log = ControlLog()
    log.apply(read(order_record(CANARY)))

    for other in (
        msgspec.structs.replace(STOPPED, ordered_at=6),
        msgspec.structs.replace(STOPPED, share=0.2),
        CANARY,
    ):
        log.apply_report(read(stop_record("w1", other)))
        assert log.orders.canary == CANARY
    assert log.apply_report(read(stop_record("w2", STOPPED)))
    assert log.orders.canary == STOPPED

    again = msgspec.structs.replace(CANARY, ordered_at=9)
    log.apply(read(order_record(again)))
    assert log.orders.canary == again


def test_the_stop_may_be_read_before_the_order() -> None:
    log = ControlLog()
    log.apply_report(read(stop_record("w1", STOPPED)))
    log.apply(read(order_record(CANARY)))

    assert log.orders.canary == STOPPED


@pytest.mark.parametrize("record", [order_record(ORDER), withdrawal_record(CHAMPION_KEY), skip_record(SKIP)])
def test_an_order_on_the_topic_of_reports_is_refused(record: OutRecord) -> None:
    """Workers may write there."""
    log = ControlLog()
    log.apply(read(order_record(ORDER)))

    assert not log.apply_report(read(record))
    assert (log.orders.champion, log.skips, log.refused) == (ORDER, {}, 1)


def test_reports_of_earlier_versions_are_read_among_the_orders() -> None:
    log = ControlLog()
    newer, other = (
        msgspec.structs.replace(REPORT, reported_at=3),
        msgspec.structs.replace(REPORT, worker="w2"),
    )

    log.apply(read(report_record(REPORT)))
    log.apply(read(report_record(other)))
    log.apply_report(read(report_record(newer)))
    assert log.reports == {"w1": newer, "w2": other}

    log.apply(read(farewell_record("w1")))
    assert log.reports == {"w1": newer, "w2": other}
    log.apply_report(read(farewell_record("w1")))
    assert log.reports == {"w2": other}
