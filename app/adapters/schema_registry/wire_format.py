"""Which schema a value was written with: the wire format of Confluent's serializers.

The id stands before the value, behind a zero byte, which no JSON begins with; or in the header ``__value_schema_id``,
and the value is bare. An id is a number (magic byte 0, four bytes) or a GUID (magic byte 1, sixteen bytes). Protobuf
adds which message of its file the value is, as a list of zigzag varints behind the id.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.adapters.kafka.records import Headers
from app.errors import InvalidEvent, InvalidReason

HEADER = "__value_schema_id"
NUMBER_BYTES, GUID_BYTES = 5, 17
"""The magic byte included."""
_LENGTHS = {0: NUMBER_BYTES, 1: GUID_BYTES}
_DEEPEST_MESSAGE = 16


class Framed(NamedTuple):
    """A value taken apart."""

    schema: bytes
    """Its id as it stands on the wire, magic byte included: the key under which a schema is remembered."""
    message_index: bytes | None
    """What stands behind the id in the header; None where the id stands before the value."""
    payload: bytes


def is_framed(value: bytes | None, headers: Headers) -> bool:
    """Whether a schema's id comes with the value; it need not be a sound one."""
    return (value is not None and value[:1] == b"\0") or any(name == HEADER for name, _ in headers)


def framed(value: bytes | None, headers: Headers) -> Framed:
    """Of a value that ``is_framed``. Raises InvalidEvent where the id is cut short or of an unknown kind."""
    named = [header for name, header in headers if name == HEADER]
    value = value or b""
    if named:
        schema, rest = _cut(named[-1])
        return Framed(schema, rest, value)
    schema, rest = _cut(value)
    return Framed(schema, None, rest)


def number_key(number: int) -> bytes:
    """The id of a schema as it stands on the wire."""
    return b"\0" + number.to_bytes(4, "big")


def message_index(framed_value: Framed) -> tuple[list[int], bytes]:
    """Of a Protobuf value: the message's place in its file, and the bare message. Raises InvalidEvent."""
    if framed_value.message_index is not None:
        return _read_index(framed_value.message_index)[0], framed_value.payload
    place, begin = _read_index(framed_value.payload)
    return place, framed_value.payload[begin:]


def _cut(data: bytes) -> tuple[bytes, bytes]:
    length = _LENGTHS.get(data[0], 0) if data else 0
    if not length or len(data) < length:
        raise InvalidEvent(InvalidReason.UNKNOWN_SCHEMA, "the schema's id is cut short or of an unknown kind")
    return data[:length], data[length:]


def _read_index(data: bytes) -> tuple[list[int], int]:
    count, at = _varint(data, 0)
    if not 0 <= count <= _DEEPEST_MESSAGE:
        raise InvalidEvent(InvalidReason.UNDECODABLE, "no index of a message stands behind the schema's id")
    place: list[int] = []
    for _ in range(count):
        number, at = _varint(data, at)
        place.append(number)
    return place or [0], at


def _varint(data: Sequence[int], at: int) -> tuple[int, int]:
    """A zigzag varint and where it ends."""
    number = shift = 0
    while at < len(data) and shift < 32:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise InvalidEvent(InvalidReason.UNDECODABLE, "no index of a message stands behind the schema's id")
