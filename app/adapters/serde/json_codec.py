"""JSON on the wire: bytes to transactions and labels, decisions and alerts to bytes. Other formats: event_decoder.py."""

import re
from typing import Any, TypeVar

import msgspec

from app.domain.label import Label
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

T = TypeVar("T")

_label = msgspec.json.Decoder(Label)
_transaction = msgspec.json.Decoder(Transaction)
_encode = msgspec.json.Encoder().encode

EventT = TypeVar("EventT")

_MISSING = re.compile("missing required field|come together")
_WRONG_TYPE = re.compile("^Expected `[^`]+`, got `")


def decode_as(decoder: msgspec.json.Decoder[T], value: bytes | None) -> T:
    """Raises InvalidEvent, which tells apart what is not JSON, incomplete, of a wrong type or out of range."""
    try:
        return decoder.decode(value or b"")
    except (ValueError, RecursionError) as error:
        raise invalid(value, error) from None


def decode_transaction(value: bytes | None) -> Transaction:
    """As decode_as, without the call: it is the hot path."""
    try:
        return _transaction.decode(value or b"")
    except (ValueError, RecursionError) as error:
        raise invalid(value, error) from None


def label_of(record: Any) -> Label:
    """The label of a record; as decode_label."""
    return decode_label(record.value)


def convert(fields: dict[str, Any], event: type[EventT]) -> EventT:
    """Fields in any format, held against the domain as those of JSON are. Raises InvalidEvent."""
    try:
        return msgspec.convert(fields, event)
    except ValueError as error:
        raise InvalidEvent(_reason(str(error)), str(error)) from None


def decode_label(value: bytes | None) -> Label:
    """As decode_as."""
    return decode_as(_label, value)


def encode_event(event: msgspec.Struct) -> bytes:
    """The value of a record that holds an event; NaN becomes null."""
    return _encode(event)


def invalid(value: bytes | None, error: Exception) -> InvalidEvent:
    """What a decoder's error says of the event, without a value of it."""
    if value is None:
        return InvalidEvent(InvalidReason.NOT_JSON, "the record has no value")
    if isinstance(error, msgspec.ValidationError):
        return InvalidEvent(_reason(str(error)), str(error))
    if value[:1] == b"\0":
        return InvalidEvent(
            InvalidReason.NOT_JSON,
            "the value is not JSON; it begins as with a schema's id, and FRAUDSTREAM_REGISTRY_URL is not set",
        )
    # Its message may quote the payload, so only its kind is told.
    return InvalidEvent(InvalidReason.NOT_JSON, f"the value is not JSON ({type(error).__name__})")


def _reason(message: str) -> InvalidReason:
    if _MISSING.search(message):
        return InvalidReason.MISSING_FIELD
    return InvalidReason.WRONG_TYPE if _WRONG_TYPE.match(message) else InvalidReason.OUT_OF_RANGE
