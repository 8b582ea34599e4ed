"""Reports the progress of a restore: a log event every few seconds, two metrics, and a final event."""

import time
from collections.abc import Callable

import structlog

from app.metrics import Metrics

REPORT_SECONDS = 3.0

_log = structlog.get_logger("restore")


class RestoreProgress:
    """Progress of one restore. The remainder is counted in offsets, not records, since compaction leaves gaps."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._on_step = on_step
        self._records = 0

    def begin(self, partitions: list[int], remaining: int) -> None:
        """Begin: ``remaining`` offsets of ``partitions`` are to be read."""
        self._started = self._reported = self._clock()
        self._remaining, self._partitions = remaining, partitions
        self._metrics.gauge("restore_remaining_records", remaining)
        if remaining:
            _log.info("restoring", records=0, remaining=remaining)

    def advance(self, records: int, offsets: int) -> None:
        """Count records written and offsets passed."""
        self._on_step()
        self._records += records
        # A fetch may return records that were appended after the restore began.
        self._remaining = max(0, self._remaining - offsets)
        self._metrics.count("restored_records_total", records)
        self._metrics.gauge("restore_remaining_records", self._remaining)
        if self._clock() - self._reported >= REPORT_SECONDS:
            self._reported = self._clock()
            _log.info("restoring", records=self._records, remaining=self._remaining)

    def end(self) -> None:
        """All partitions are restored."""
        self._metrics.gauge("restore_remaining_records", 0)
        _log.info(
            "restored",
            partitions=self._partitions,
            records=self._records,
            seconds=round(self._clock() - self._started, 3),
        )
