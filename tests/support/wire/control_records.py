"""Orders and a report, as they are on the control topics."""

from typing import Any, NamedTuple

from app.domain.control import CanaryBounds, CanaryOrder, ModelOrder, SkipOrder, WorkerReport
from app.domain.decision import ModelReference

MODEL = ModelReference(name="baseline", version="1", digest="d")
ORDER = ModelOrder(model=MODEL, ordered_at=5)
BOUNDS = CanaryBounds(max_alert_rate=0.1)
CANARY = CanaryOrder(model=MODEL, share=0.1, bounds=BOUNDS, ordered_at=7)
REPORT = WorkerReport(worker="w1", host="h", runs=MODEL, since=1, reported_at=2)
SKIP = SkipOrder(
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


class Read(NamedTuple):
    """A record as a consumer returns it."""

    key: bytes | None
    value: bytes | None
    offset: int = 0


def read(record: Any) -> Read:
    """The record that a producer sends, as a consumer returns it."""
    return Read(record.key, record.value)
