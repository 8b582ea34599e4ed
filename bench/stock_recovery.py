"""The same worker with Faust's own recovery, record by record: `faust -A bench.stock_recovery worker`."""

from faust.tables.recovery import Recovery

from app.streaming.recovery import BulkRecovery
from app.worker import app

__all__ = ["app"]

BulkRecovery._build_offsets = Recovery._build_offsets  # type: ignore[method-assign]  # noqa: SLF001  # takes the bulk restore out again
