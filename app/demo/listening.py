"""Reads everything the workers publish and adds it to the reconciliation."""

import time
from collections.abc import Callable

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.tail_reader import TailReader
from app.demo.reconciliation import ReceivedDecision, Reconciliation
from app.domain.decision import Alert
from app.settings import TopicSettings

_decision = BoundedDecoder(ReceivedDecision).decode
_alert = BoundedDecoder(Alert).decode


async def listen(
    reader: TailReader,
    topics: TopicSettings,
    reconciliation: Reconciliation,
    on_alert: Callable[[Alert], None],
) -> None:
    """Read until cancelled. ``on_alert`` receives the first alert of each transaction."""
    async for records in reader.batches():
        topic, now_ms = records[0].topic, time.time_ns() // 1_000_000
        for record in records:
            if topic == topics.decisions:
                reconciliation.on_decision(_decision(record.value), now_ms)
            elif topic == topics.dead_letters:
                reconciliation.on_dead_letter(dict(record.headers))
            else:
                alert = _alert(record.value)
                if reconciliation.on_alert(alert):
                    on_alert(alert)
