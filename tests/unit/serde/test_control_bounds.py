"""What anyone with the right to write to the control topic makes a worker hold in memory is bounded."""

import json
import tracemalloc
from typing import Any

import msgspec

from app.adapters.topic_records.control_log import ControlLog, order_record, report_record
from app.domain.control import ModelOrder, WorkerReport
from app.domain.decision import ModelReference
from tests.support.wire.control_records import ORDER, REPORT, Read

MIB = 1024 * 1024


def report(worker: str) -> WorkerReport:
    return msgspec.structs.replace(REPORT, worker=worker)


def apply(log: ControlLog, record: Any) -> bool:
    return log.apply(Read(record.key, record.value))


def padded(key: bytes, value: bytes, length: int) -> Read:
    """The same content with a field that no contract has."""
    return Read(key, json.dumps(json.loads(value) | {"more": "x" * length}).encode())


def test_reports_of_any_length_and_number_take_no_memory() -> None:
    """300 reports of 0.9 MB stayed in the memory of every worker."""
    log = ControlLog()
    long = padded(b"", report_record(REPORT).value or b"", 900_000)
    tracemalloc.start()
    for number in range(300):
        log.apply(long._replace(key=b"worker/w%d" % number))
    for number in range(3_000):
        apply(log, report_record(report(f"worker-{number}")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert list(log.reports) == [f"worker-{number}" for number in range(2_000, 3_000)]
    assert peak < 8 * MIB


def test_a_worker_that_reports_again_stays() -> None:
    log = ControlLog()
    for number in range(3_000):
        apply(log, report_record(report(f"worker-{number}")))
        if number % 500 == 0:
            apply(log, report_record(report("living")))
    assert "living" in log.reports
    assert len(log.reports) == 1_000


def test_an_order_beyond_the_bound_leaves_the_one_before_in_force() -> None:
    log = ControlLog()
    newer = ModelOrder(model=ModelReference(name="other", version="2", digest="e"), ordered_at=9)
    record = order_record(newer)
    assert apply(log, order_record(ORDER))
    assert not log.apply(padded(record.key or b"", record.value or b"", 70_000))
    assert not log.apply(Read(b"worker/" + b"w" * 70_000, report_record(REPORT).value))
    assert not log.apply(Read(None, b"x" * 70_000))
    assert not log.apply_report(padded(b"worker/w1", report_record(REPORT).value or b"", 70_000))
    assert log.refused == 4
    assert (log.orders.champion, log.reports) == (ORDER, {})
    assert log.apply(padded(record.key or b"", record.value or b"", 60_000))
    assert log.orders.champion == newer
