"""A risk worker: no record of the transactions topic ends the loop or changes the decisions of its neighbours."""

import json
from typing import Any

from app.features.delayed_features import absent
from app.processing.chunk import Chunk
from app.processing.stopwatch import Stopwatch
from tests.unit.loops.loop import NOW_MS, Record, family, surrounded
from tests.unit.streaming.execution.test_score_chunk import scorer


def transaction(customer: str = "c1") -> dict[str, Any]:
    return {
        "transaction_id": f"t-{customer}",
        "customer_id": customer,
        "terminal_id": "m1",
        "event_time": NOW_MS,
        "amount_minor": 100,
        "currency": "EUR",
        "channel": "web",
        "mcc": "0742",
        "country": "DE",
        "device_id": "d1",
        "card_token": "k1",
        "latitude": 48.1,
        "longitude": 11.5,
    }


def record(event: dict[str, Any]) -> Record:
    return Record(event["customer_id"].encode(), json.dumps(event).encode())


def compute(chunk: Chunk) -> Any:
    worker, stopwatch = scorer(), Stopwatch(lambda: 0.0)
    folded = worker.fold([chunk], stopwatch)
    (scored,) = worker.decide(folded, absent(folded.touched), NOW_MS, stopwatch)
    return scored


def test_no_transaction_of_the_family_ends_the_loop_or_changes_its_neighbours() -> None:
    sound = [record(transaction("c2")), record(transaction("c3"))]
    for name, work in surrounded(family(transaction(), b"c1"), sound, compute):
        assert {b"c2", b"c3"} <= {decision.key for decision in work.decisions}, name
        assert len(work.decisions) + len(work.rejected) == 3, name
        assert all(len(value) <= 512 for one in work.decisions for _, value in one.headers), name
