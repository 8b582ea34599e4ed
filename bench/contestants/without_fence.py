"""Our worker without the fence at the broker, to measure what the fence costs (docs/adr/0016-fenced-changelog.md).

Its batches carry no producer id: brokers neither recognise one sent twice nor refuse a former owner. The guarantee does not hold.
"""

from typing import Any

from app.adapters.kafka import batch_producer
from app.adapters.kafka.producer_identity import ProducerIdentity
from app.adapters.kafka.producer_ids import ProducerIds
from app.worker import app

__all__ = ["app"]


async def no_identity(*_: Any) -> ProducerIdentity:
    """Ask no broker. -1 is the protocol's value of no producer."""
    return ProducerIdentity(-1, -1)


def leave_unstamped(*_: Any) -> None:
    """Leave the batch without a producer id, as it was encoded."""


for _name in ("new", "take_over", "renew"):
    setattr(ProducerIds, _name, no_identity)
vars(batch_producer)["stamp"] = leave_unstamped
