"""LatencyRecorder: the time from an inserted row to its decision."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from app.domain.money import to_minor
from app.traffic.bank_table import COLUMNS, row
from app.traffic.insert_latency import LatencyRecorder, plain_rows


def test_each_row_counts_once_and_foreign_decisions_are_ignored() -> None:
    recorder = LatencyRecorder()
    for number in range(4):
        recorder.sent(f"t{number}", 1_000_000)
    for number, took_ms in enumerate([3, 1, 90]):
        recorder.decided(f"t{number}", 1_000_000 + took_ms * 1_000_000)
    recorder.decided("t0", 5)
    recorder.decided("another's", 5)
    found = recorder.figures()

    assert (4, 3, 1, 1) == (found.rows, found.decided, found.repeated, recorder.missing)
    assert (3.0, 90.0, 90.0) == (found.p50_ms, found.p99_ms, found.most_ms)


def test_without_a_decision_there_are_no_figures() -> None:
    assert 0.0 == LatencyRecorder().figures().p99_ms


def test_a_row_holds_the_fields_of_its_transaction() -> None:
    (transaction,) = islice(plain_rows("x"), 1)
    columns = dict(zip(COLUMNS, row(transaction), strict=True))

    assert columns["amount"] == Decimal("1.00")
    assert to_minor(Decimal(str(columns["amount"])), "EUR") == transaction.amount_minor
    assert isinstance(columns["event_time"], datetime)
    assert round(columns["event_time"].astimezone(UTC).timestamp() * 1000) == transaction.event_time
