"""M5: a worker that was paused past its session goes on as if nothing had been, and a restore takes the last version
that stands in the changelog, however old.
"""

from app.streaming import restore, tables
from app.streaming.fence import Fence
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

sabotage(Fence, "check", lambda _: None)
sabotage(restore, "newest", lambda records, _: dict(records))
sabotage(tables, "newest", lambda records, _: dict(records))
