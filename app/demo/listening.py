"""Reads everything the workers publish and adds it to the reconciliation."""

import time
from collections.abc import Callable

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.tail_reader import TailReader
from app.demo.reconciliation import ReceivedDecision, Reconciliation
from app.domain.decision import Alert
from app.settings import TopicSettings

_decision = BoundedDecoder(ReceivedDecision)
_alert = BoundedDecoder(Alert)


async def listen(
    reader: TailReader,
    topics: TopicSettings,
    reconciliation: Reconciliation,
    on_alert: Callable[[Alert], None],
) -> None:
    """Read until cancelled. ``on_alert`` receives the first alert of each transaction. Unreadable records are left out."""
    async for records in reader.batches():
        topic, now_ms = records[0].topic, time.time_ns() // 1_000_000
        for record in records:
            if topic == topics.dead_letters:
                reconciliation.on_dead_letter(dict(record.headers))
            elif topic == topics.decisions:
                if (decision := _decision.attempt(record.value)) is not None:
                    reconciliation.on_decision(decision, now_ms)
            elif (alert := _alert.attempt(record.value)) is not None and reconciliation.on_alert(alert):
                on_alert(alert)
