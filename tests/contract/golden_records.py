"""Contacts, control records and analytics files whose bytes are kept in ``golden/``.

``python -m tests.contract.golden_records`` writes what is missing. A file that is there is never written again: it stands for
the bytes on the disks and in the topics of users.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pyarrow as pa

from app.adapters.kafka.records import OutRecord
from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.progress_files import OffsetRange
from app.adapters.parquet_sink.repeats import Reached
from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS
from app.adapters.serde import contact_codec
from app.adapters.serde.contact_codec import AppliedOffset, StoredContact
from app.adapters.topic_records.control_log import order_record, report_record, skip_record
from app.domain.contact import Contact
from app.domain.control import (
    CanaryBounds,
    CanaryOrder,
    CanaryStop,
    ChallengersOrder,
    ModelOrder,
    SkipOrder,
    WorkerReport,
)
from app.domain.decision import ModelReference

DIRECTORY = Path(__file__).with_name("golden")
CONTACT_FILE = DIRECTORY / f"contact-v{contact_codec.VERSION}-asked.hex"
CONTROL_FILE = DIRECTORY / "control-v1.jsonl"
ANALYTICS = DIRECTORY / "analytics-v1"
DAY, DAY_MS = 20_000, 86_400_000
"""2024-10-04."""

CONTACT = StoredContact(
    Contact(
        last_alert_ms=1_760_000_000_000,
        episode_asked=True,
        question=-(2**63),
        asked_ms=1_760_000_000_001,
        answered_ms=1_759_000_000_000,
    ),
    (AppliedOffset(2**64 - 1, 41), AppliedOffset(7, 2**62)),
    changes=3,
)
MODEL = ModelReference(name="cards", version="2", digest="sha256:00ff")
OTHER = ModelReference(name="cards", version="1", digest="sha256:11ee")
ORDERS: dict[str, ModelOrder | ChallengersOrder | CanaryOrder] = {
    "champion": ModelOrder(model=MODEL, previous=OTHER, ordered_at=1),
    "challengers": ChallengersOrder(models=[OTHER], ordered_at=2),
    "canary": CanaryOrder(
        model=OTHER,
        share=0.05,
        bounds=CanaryBounds(max_alert_rate=0.1),
        ordered_at=3,
        stopped=CanaryStop(worker="w1", reason="alert rate", stopped_at=4),
    ),
}
REPORT = WorkerReport(worker="w1", host="h", runs=MODEL, since=5, reported_at=6, heard=7)
SKIP = SkipOrder(
    topic="payments.transactions.v1",
    topic_id="AAAAAAAAAAAAAAAAAAAAAA",
    partition=3,
    offset=10,
    next_offset=11,
    why="wrong checksum",
    reason="sent by a broken producer",
    ordered_by="operator",
    ordered_at=8,
)


def control_records() -> list[OutRecord]:
    """The records as this release writes them."""
    return [*map(order_record, ORDERS.values()), report_record(REPORT), skip_record(SKIP)]


def control_line(record: OutRecord) -> str:
    return json.dumps({"key": (record.key or b"").decode(), "value": (record.value or b"").decode()})


def decisions() -> list[dict[str, Any]]:
    """Three decisions of one day; the last one repeats the second."""
    scores, offsets = (0.1, 0.95, 0.95), (5, 6, 6)
    return [
        {
            "transaction_id": f"t{offset}",
            "customer_id": "c1",
            "event_time": DAY * DAY_MS + offset,
            "scored_at": DAY * DAY_MS + offset + 10,
            "score": score,
            "outcome": "decline" if score > 0.9 else "approve",
            "model": msgspec.to_builtins(MODEL),
            "source": {"topic": "payments.transactions.v1", "partition": 0, "offset": offset},
            "transaction": {"terminal_id": "m1", "amount_minor": 1_250, "currency": "EUR", "country": "DE"},
            "degraded": ["entities_absent"],
        }
        for score, offset in zip(scores, offsets, strict=True)
    ]


LABEL = {
    "transaction_id": "t6",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": DAY * DAY_MS + 6,
    "is_fraud": True,
    "source": "chargeback",
    "reported_at": DAY * DAY_MS + 7_000,
}


def write_analytics(directory: Path) -> None:
    """Write the files of one partition, as a worker of the role analytics does."""
    files, figures = DayFiles(directory), DayFigureFiles(directory)
    for feed, events in ((DECISIONS, decisions()), (LABELS, [LABEL])):
        files.bind(feed.name, f"fraud.{feed.name}.v1", "AAAAAAAAAAAAAAAAAAAAAA")
        records = [
            SimpleNamespace(value=json.dumps(event).encode(), partition=0, offset=offset)
            for offset, event in enumerate(events)
        ]
        parsed = feed.parse(records, -1)
        rows = pa.Table.from_batches([parsed.batch])
        figures.count(feed, 0, rows, len(events))
        files.write(OffsetRange(feed.name, 0, 0, len(events) - 1), rows, Reached(parsed.decided_to))


if __name__ == "__main__":
    if not CONTACT_FILE.exists():
        CONTACT_FILE.write_text(contact_codec.encode(CONTACT).hex("\n", 32) + "\n", encoding="ascii")
    if not CONTROL_FILE.exists():
        CONTROL_FILE.write_text("".join(f"{control_line(one)}\n" for one in control_records()), "utf-8")
    if not ANALYTICS.exists():
        write_analytics(ANALYTICS)
