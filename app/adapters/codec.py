"""JSON on the wire: bytes to transactions, decisions and alerts to bytes."""

import re

import msgspec

from app.domain.decision import Decision
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

_transaction = msgspec.json.Decoder(Transaction)
_encode = msgspec.json.Encoder().encode

_MISSING = re.compile("missing required field|come together")
_WRONG_TYPE = re.compile("^Expected `[^`]+`, got `")


def decode_transaction(value: bytes | None) -> Transaction:
    """Raises InvalidEvent, which tells apart what is not JSON, incomplete, of a wrong type or out of range."""
    if value is None:
        raise InvalidEvent(InvalidReason.NOT_JSON, "the record has no value")
    try:
        return _transaction.decode(value)
    except msgspec.ValidationError as error:
        raise InvalidEvent(_reason(str(error)), str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Its message may quote the payload, so only its kind is told.
        raise InvalidEvent(
            InvalidReason.NOT_JSON, f"the value is not JSON ({type(error).__name__})"
        ) from None


def encode_transaction(transaction: Transaction) -> bytes:
    """The value of a record on the transactions topic."""
    return _encode(transaction)


def encode_decision(decision: Decision) -> bytes:
    """A decision or an alert; NaN becomes null."""
    return _encode(decision)


def _reason(message: str) -> InvalidReason:
    if _MISSING.search(message):
        return InvalidReason.MISSING_FIELD
    return InvalidReason.WRONG_TYPE if _WRONG_TYPE.match(message) else InvalidReason.OUT_OF_RANGE
