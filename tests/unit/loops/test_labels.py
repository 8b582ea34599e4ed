"""An entities worker: no record of the labels topic ends the loop or changes the facts of its neighbours."""

import json
from typing import Any

from app.domain.acceptance import Acceptance
from app.processing.entity_work import LabelRouter
from tests.unit.loops.loop import NOW_MS, Record, family, surrounded


def label(terminal: str = "m1") -> dict[str, Any]:
    return {
        "transaction_id": "t1",
        "customer_id": "c1",
        "terminal_id": terminal,
        "event_time": NOW_MS - 10,
        "is_fraud": True,
        "source": "chargeback",
        "reported_at": NOW_MS,
        "device_id": "d1",
        "card_token": "k1",
    }


def record(event: dict[str, Any]) -> Record:
    return Record(event["terminal_id"].encode(), json.dumps(event).encode())


def test_no_label_of_the_family_ends_the_loop_or_changes_its_neighbours() -> None:
    sound = [record(label("m2")), record(label("m3"))]
    compute = LabelRouter(Acceptance(), 8).compute
    for name, work in surrounded(family(label(), b"m1"), sound, compute):
        keys = {fact.key for facts in work.activity.values() for fact in facts}
        assert {b"terminal:m2", b"terminal:m3"} <= keys, name
        assert (work.labels, len(work.rejected)) in {(3, 0), (2, 1)}, name
