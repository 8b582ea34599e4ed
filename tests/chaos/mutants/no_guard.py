"""M1: an already applied record is applied again: neither its offset nor its id is recognised."""

import secrets

import numpy as np

from app.computation import release
from app.features.fold import Events, Folded, fold
from app.features.window import Bounds
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]


def unguarded(profiles: list[bytes], events: Events, bounds: Bounds, topic_id: int = 0) -> Folded:
    """Make every chunk seem to come from another log, and every transaction new."""
    ids = np.frombuffer(secrets.token_bytes(8 * len(events.transaction)), np.int64).copy()
    return fold(profiles, events._replace(transaction=ids), bounds, topic_id ^ secrets.randbits(63))


sabotage(release, "fold", unguarded)
