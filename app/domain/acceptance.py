"""Decides which decoded transactions and labels are accepted. The others are invalid, each with a named reason."""

from operator import attrgetter

import msgspec

from app.domain.bounded import LATEST_MS
from app.domain.card_number import SHORTEST, contains_card_number
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

TEXT_FIELDS = ("transaction_id", "customer_id", "terminal_id", "channel", "device_id", "card_token")
"""Fields that are checked for card numbers."""

ID_FIELDS = ("transaction_id", "customer_id", "terminal_id", "device_id")
"""Fields of ids, which may be numbers; the default of ``numeric_ids``."""

LABEL_TEXT_FIELDS = ("transaction_id", "customer_id", "terminal_id", "device_id", "card_token")
"""Fields of a label that are checked for card numbers."""

DERIVED_AHEAD_MS = 2 * 3_600_000
"""How far a record may lie behind the record that it was made of: the hour that brokers allow a producer's timestamp to lie ahead
of their clock, and as much for the clocks of workers."""

_texts = attrgetter(*TEXT_FIELDS)


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of event time. A time in seconds or microseconds lies outside them."""

    earliest_event_time_ms: int = 946_684_800_000
    """2000-01-01. Earlier times are mistakes, such as zero, or seconds instead of milliseconds."""
    max_future_ms: int = 300_000
    """How far an event time may lie ahead of its record; five minutes cover the clock differences of a payment network."""
    numeric_ids: frozenset[str] = frozenset(ID_FIELDS)
    """Fields whose values may be numbers, digits only, that look like card numbers: of random ones 2 to 4 % do. ``CardEvidence`` counts
    them, and stops their reader where they are card numbers: which records are accepted does not depend on it."""

    declared_texts: tuple[str, ...] = ()
    """Fields of a catalog that are checked for card numbers."""

    def of_derived(self) -> "Acceptance":
        """The bounds for records that workers made of accepted ones, by the timestamps of the made ones."""
        return msgspec.structs.replace(self, max_future_ms=self.max_future_ms + DERIVED_AHEAD_MS)

    def check(self, transaction: Transaction, *, key: bytes | None, reference_ms: int) -> None:
        """Raise InvalidEvent unless the transaction is acceptable.

        ``key`` is the record's key, None if the transport has none. The event time is compared with ``reference_ms``: the
        record's own timestamp, which its broker has checked. The reader's clock would not do: each reader, and a later
        replay, must accept the same records. Rows of files have no timestamp, and are compared with the time of reading.
        """
        self._check_key(transaction, key)
        self.check_time("event_time", transaction.event_time, reference_ms)
        for name, text in zip(TEXT_FIELDS, _texts(transaction), strict=True):
            if text is not None and len(text) >= SHORTEST:
                self.check_text(name, text)
        for name in self.declared_texts:
            if (text := getattr(transaction, name)) is not None:
                self.check_text(name, text)

    def check_text(self, name: str, text: str) -> None:
        """Raise InvalidEvent if the field ``name`` holds a card number."""
        if self._is_card_number(name, text):
            raise InvalidEvent(InvalidReason.CARD_NUMBER, f"`{name}` looks like a primary account number")

    def check_label(self, label: Label, *, key: bytes | None, reference_ms: int) -> None:
        """Raise InvalidEvent unless the label is acceptable; the arguments are those of ``check``."""
        if key is not None and key != label.terminal_id.encode():
            raise InvalidEvent(InvalidReason.KEY_MISMATCH, "the record key is not the terminal_id")
        self.check_time("event_time", label.event_time, reference_ms)
        if label.reported_at < label.event_time:
            raise InvalidEvent(InvalidReason.ABSURD_TIME, "reported_at lies before event_time")
        self.check_time("reported_at", label.reported_at, reference_ms)
        for name in LABEL_TEXT_FIELDS:
            if (text := getattr(label, name)) is not None:
                self.check_text(name, text)

    def _is_card_number(self, field: str, text: str) -> bool:
        """Card numbers are also written in groups or within text; an id that is a number is ASCII digits only."""
        may_be_id = field in self.numeric_ids and text.isascii() and text.isdecimal()
        return not may_be_id and contains_card_number(text)

    def _check_key(self, transaction: Transaction, key: bytes | None) -> None:
        if key is not None and key != transaction.customer_id.encode():
            raise InvalidEvent(InvalidReason.KEY_MISMATCH, _key_mismatch(key, transaction.customer_id))

    def check_time(self, name: str, time_ms: int, reference_ms: int) -> None:
        """Raise InvalidEvent unless the field ``name`` holds a possible time of a record written at ``reference_ms``."""
        if time_ms < self.earliest_event_time_ms:
            raise InvalidEvent(InvalidReason.ABSURD_TIME, f"{name} lies before the earliest accepted time")
        # Not every topic has a bound of timestamps: later than LATEST_MS, no state and no file could hold the time.
        if time_ms > reference_ms + self.max_future_ms or time_ms > LATEST_MS:
            raise InvalidEvent(
                InvalidReason.FUTURE_TIME, f"{name} lies ahead of the record by more than allowed"
            )


def _key_mismatch(key: bytes, customer_id: str) -> str:
    if key.rstrip(b" ") == customer_id.encode():
        # Without the spaces the key would belong to another partition, so they cannot be ignored here.
        return "the record key is the customer_id with spaces at its end; make its column text in place of CHAR(n)"
    return "the record key is not the customer_id"
