"""M1: what was applied before is applied again, known by neither its offset nor its id."""

import secrets

import numpy as np

from app.features.fold import Events, Folded, fold
from app.features.window import Bounds
from app.processing import fold_chunk
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]


def unguarded(profiles: list[bytes], events: Events, bounds: Bounds, topic_id: int = 0) -> Folded:
    """Every chunk seems to come from another log, every transaction to be a new one."""
    ids = np.frombuffer(secrets.token_bytes(8 * len(events.transaction)), np.int64).copy()
    return fold(profiles, events._replace(transaction=ids), bounds, topic_id ^ secrets.randbits(63))


sabotage(fold_chunk, "fold", unguarded)
