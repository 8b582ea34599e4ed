"""An analytics worker: a decision or a label that is none is counted and named, and its neighbours are in files."""

import json
from typing import Any

import pyarrow as pa
import pytest

from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS, Feed
from tests.unit.loops.loop import NOW_MS, Named, Record, family
from tests.unit.loops.test_labels import label


def decision(customer: str = "c1") -> dict[str, Any]:
    paid = {
        "terminal_id": "m1",
        "amount_minor": 5,
        "currency": "EUR",
        "country": "DE",
        "channel": "w",
        "mcc": "1",
    }
    return {
        "transaction_id": f"t-{customer}",
        "customer_id": customer,
        "event_time": NOW_MS,
        "scored_at": NOW_MS,
        "score": 0.5,
        "outcome": "review",
        "model": {"name": "m", "version": "1", "digest": "d"},
        "source": {"topic": "t", "partition": 0, "offset": 1},
        "transaction": paid,
        "degraded": ["late"],
        "rules": ["r"],
    }


@pytest.mark.parametrize(
    ("feed", "event"), [(DECISIONS, decision()), (LABELS, label())], ids=["decisions", "labels"]
)
def test_no_record_of_the_family_ends_the_loop_or_its_neighbours(feed: Feed, event: dict[str, Any]) -> None:
    sound = json.dumps(event).encode()
    for name, hostile in family(event, b"c1"):
        records = [Record(b"c1", sound, 4), hostile._replace(offset=5), Record(b"c1", sound, 6)]
        with Named(name):
            rows = feed.parse(records, -1)
            kept = rows.batch.column("kafka_offset").to_pylist()
            feed.keep(pa.Table.from_batches([rows.batch]))
        assert (kept, rows.unreadable) in (([4, 5, 6], []), ([4, 6], [5])), name
