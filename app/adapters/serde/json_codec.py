"""JSON codec: transactions and labels from bytes, every event to bytes. ``event_decoder`` decodes the other formats."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from app.adapters.bounded_json import SHORTEST_TOO_DEEP, BoundedDecoder, TooDeep, refuse_too_deep
from app.adapters.kafka.records import Unreadable
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

T = TypeVar("T")

_label = BoundedDecoder(Label)
_transaction = msgspec.json.Decoder(Transaction)
_encode = msgspec.json.Encoder().encode

EventT = TypeVar("EventT")

_MISSING = re.compile("missing required field|come together|got `null` - at")
_WRONG_TYPE = re.compile("^Expected `[^`]+`, got `")


def decode_as(decoder: BoundedDecoder[T], value: bytes | None) -> T:
    """The decoded value. Raises InvalidEvent with the reason: not JSON, missing field, wrong type, or out of range."""
    try:
        return decoder.decode(value or b"")
    except (ValueError, RecursionError) as error:
        raise invalid(value, error) from None


def decode_transaction(value: bytes | None) -> Transaction:
    """The transaction in a value. Raises InvalidEvent. Repeats ``decode_as``: a call less on the hot path."""
    try:
        if value and len(value) >= SHORTEST_TOO_DEEP:
            refuse_too_deep(value)
        return _transaction.decode(value or b"")
    except (ValueError, RecursionError) as error:
        raise invalid(value, error) from None


def transaction_decoder(event: type[Transaction]) -> Callable[[bytes | None], Transaction]:
    """Return a function as ``decode_transaction``, for transactions with the declared fields of a catalog."""
    if event is Transaction:
        return decode_transaction
    decoder = BoundedDecoder(event)
    return lambda value: decode_as(decoder, value)


def label_of(record: Any) -> Label:
    """The label in a record. Raises InvalidEvent."""
    return decode_label(record.value)


def convert(fields: dict[str, Any], event: type[EventT]) -> EventT:
    """Fields read from any format as an ``event``, validated as JSON is. Raises InvalidEvent."""
    try:
        return msgspec.convert(fields, event)
    except ValueError as error:
        raise InvalidEvent(_reason(str(error)), str(error)) from None


def decode_label(value: bytes | None) -> Label:
    """The label in a value. Raises InvalidEvent."""
    return decode_as(_label, value)


def encode_event(event: msgspec.Struct) -> bytes:
    """The value of a record that holds an event; NaN becomes null."""
    return _encode(event)


def invalid(value: bytes | None, error: Exception) -> InvalidEvent:
    """The InvalidEvent for a decoder's error, without a value of the event."""
    if value is None:
        return InvalidEvent(InvalidReason.NOT_JSON, "the record has no value")
    if isinstance(value, Unreadable):
        return InvalidEvent(InvalidReason.UNREADABLE, value.why)
    if isinstance(error, TooDeep):
        return InvalidEvent(InvalidReason.NOT_JSON, str(error))
    if isinstance(error, msgspec.ValidationError):
        return InvalidEvent(_reason(str(error)), str(error))
    if value[:1] == b"\0":
        return InvalidEvent(
            InvalidReason.NOT_JSON,
            "the value is not JSON; it begins like one with a schema id, and FRAUDSTREAM_REGISTRY_URL is not set",
        )
    # The message may quote the payload, so only the type of the error is reported.
    return InvalidEvent(InvalidReason.NOT_JSON, f"the value is not JSON ({type(error).__name__})")


def _reason(message: str) -> InvalidReason:
    if _MISSING.search(message):
        return InvalidReason.MISSING_FIELD
    return InvalidReason.WRONG_TYPE if _WRONG_TYPE.match(message) else InvalidReason.OUT_OF_RANGE
