"""The workers' newest reports, as many as a setting allows: every worker may write them, and every command holds them in memory."""

from typing import TypeVar

from app.adapters.kafka.record_batches.limits import in_force, setting
from app.adapters.kafka.records import Record

ValueT = TypeVar("ValueT")


class NewestByWorker(dict[str, ValueT]):
    """By worker. Of too many, the one that was read longest ago is left out; a living worker reports again."""

    def __setitem__(self, worker: str, value: ValueT) -> None:
        self.pop(worker, None)
        while len(self) >= in_force().control_reports:
            del self[next(iter(self))]
        super().__setitem__(worker, value)


def too_long(record: Record) -> str:
    """Why a record of a control topic is refused by its length alone; empty where it is not."""
    most, length = in_force().control_record_bytes, len(record.key or b"") + len(record.value or b"")
    if length <= most:
        return ""
    return f"it has {length:,} bytes, more than {setting('control_record_bytes')}={most:,}"
