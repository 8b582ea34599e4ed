"""The records of the topic of lists, and the state that they make.

A record that does not keep the contract has no effect, on any worker and at any time: it is counted and logged.
"""

import msgspec
import structlog

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.json_codec import decode_as
from app.errors import InvalidEvent, ListsTooLarge
from app.lists.changes import ListChange
from app.lists.state import ListState, TooManyLists
from app.lists.table import ENTRY_BYTES, Bounds, ListsFull
from app.settings import ListSettings

PARTITION = 0
MOST_NAMED = 10

_decoder = BoundedDecoder(ListChange)
_log = structlog.get_logger("lists")


class ListLog:
    """The fold of the records that were read."""

    def __init__(self, settings: ListSettings) -> None:
        self.state = ListState(Bounds.of(settings.max_entries))
        self.refused = 0
        """Number of records without effect. Only the first are logged: a writer could otherwise fill the log."""
        self.max_entries = settings.max_entries

    def apply(self, record: Record) -> None:
        """Apply the next record. Raises ListsTooLarge when the lists exceed the bound with it; the log must not be used then."""
        try:
            self.state.apply(record.offset, decoded(record.value))
        except InvalidEvent as error:
            self.state.pass_over(record.offset)
            self._refuse(record, error.detail)
        except TooManyLists as error:
            self._refuse(record, str(error))
        except ListsFull:
            raise too_large(self.max_entries) from None

    def _refuse(self, record: Record, why: str) -> None:
        self.refused += 1
        if self.refused <= MOST_NAMED:
            _log.error("list_record_refused", offset=record.offset, reason=why)


def too_large(max_entries: int) -> ListsTooLarge:
    """The error where the lists have more entries than a worker may hold."""
    return ListsTooLarge(
        f"the lists have more than FRAUDSTREAM_LISTS_MAX_ENTRIES={max_entries:,} entries, or more than {ENTRY_BYTES} bytes for "
        "each of so many. Raise the setting where the risk workers and this command run; a worker takes some 100 bytes an entry"
    )


def decoded(value: bytes | None) -> ListChange:
    """The change in a value. Raises InvalidEvent."""
    return decode_as(_decoder, value)


def list_record(change: ListChange) -> OutRecord:
    """The record of a change; its key is the list. Raises msgspec.ValidationError for one that readers would refuse."""
    value = msgspec.json.encode(change)
    _decoder.decode(value)
    return OutRecord(change.list_name.encode(), value)
