"""A change of a list: the contract of the records of ``fraud.lists.v1``.

The topic is a log with one partition, in which nothing is compacted or deleted: lists can be read as of any past offset. The last
record of an entry of a list, at or before an offset, decides about the entry at that offset.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.bounded import Moment, Name, Text

MOST_ENTRIES = 1_000
"""Of a record: an import of millions writes thousands of records, each of which takes effect as a whole."""
MOST_ENTRY_CHARACTERS = 256
"""As many as a text of a transaction has."""

ListName = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$", max_length=64)]
"""A name that an expression can have."""
Entry = Annotated[str, Meta(min_length=1, max_length=MOST_ENTRY_CHARACTERS)]
"""The whole text of a field of a transaction, such as a customer_id."""


class Action(StrEnum):
    """What a record does with its entries."""

    ADD = "add"
    """They are entries, also if they were before: the new validity replaces the old one."""
    REMOVE = "remove"
    """They are no entries, whether they were or not."""


class ListChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Entries that are added to a list, or removed from it; who does that, why and when."""

    list_name: ListName = msgspec.field(name="list")
    entries: Annotated[list[Entry], Meta(min_length=1, max_length=MOST_ENTRIES)]
    action: Action
    valid_from_ms: Moment | None = None
    """The first event time for which the entries are in the list; None for every earlier one."""
    valid_to_ms: Moment | None = None
    """The first event time for which they are no longer; None for never."""
    reason: Annotated[Text, Meta(min_length=1)]
    author: Name
    at: Moment
    """By the clock of the author's machine. The order of changes is that of their offsets."""

    def __post_init__(self) -> None:
        if not "".join(self.entries).isprintable():
            raise ValueError("an entry has a character that cannot be printed")
        if (self.valid_from_ms, self.valid_to_ms) == (None, None):
            return
        if self.action is Action.REMOVE:
            raise ValueError("a removal has no valid_from_ms and no valid_to_ms")
        if self.valid_to_ms is not None and self.valid_to_ms <= (self.valid_from_ms or 0):
            raise ValueError("valid_to_ms must lie behind valid_from_ms")
