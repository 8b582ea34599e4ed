"""M10: batches carry no producer id: one that is sent again after a lost acknowledgement counts twice, and none is fenced."""

from app.adapters.kafka import batch_producer
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

sabotage(batch_producer, "stamp", lambda *_: None)
