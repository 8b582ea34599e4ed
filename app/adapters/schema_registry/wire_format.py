"""The wire format of Confluent's serializers: a value with the id of the schema that it was written with.

The id is a prefix of the value, which begins with a byte 0 then, as no JSON does; or it is in the header
``__value_schema_id``. An id is a number (magic byte 0, four bytes) or a GUID (magic byte 1, sixteen bytes). For Protobuf the
index of the value's message in its file follows the id, as a list of zigzag varints.

Apicurio's serializers and converters write the id in this way too, but only where they are configured to: by default they write one of
their own ids into a header of their own, and nothing before the value.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.adapters.kafka.records import Headers, Unreadable
from app.errors import InvalidEvent, InvalidReason

HEADER = "__value_schema_id"
OF_APICURIO = frozenset(f"apicurio.value.{name}" for name in ("globalId", "contentId", "contentHash"))
AS_CONFLUENT = "apicurio.registry.headers.enabled=false, as-confluent=true and use-id=contentId"
NUMBER_BYTES, GUID_BYTES = 5, 17
"""Length of an id with its magic byte."""
_LENGTHS = {0: NUMBER_BYTES, 1: GUID_BYTES}
_DEEPEST_MESSAGE = 16


class Framed(NamedTuple):
    """A value and its schema id, separated."""

    schema: bytes
    """The id as encoded on the wire, with its magic byte: the key of SchemaCache."""
    message_index: bytes | None
    """The bytes after the id in the header; None where the id is a prefix of the value."""
    payload: bytes


def is_framed(value: bytes | None, headers: Headers) -> bool:
    """Whether the value has a schema id, well-formed or not."""
    if isinstance(value, Unreadable):
        return False
    return (value is not None and value[:1] == b"\0") or any(
        name == HEADER or name in OF_APICURIO for name, _ in headers
    )


def framed(value: bytes | None, headers: Headers) -> Framed:
    """Separate a value that ``is_framed``. Raises InvalidEvent where the id is cut short, of an unknown kind, or Apicurio's own."""
    named = [header for name, header in headers if name == HEADER]
    value = value or b""
    if named:
        schema, rest = _cut(named[-1])
        return Framed(schema, rest, value)
    if any(name in OF_APICURIO for name, _ in headers):
        raise InvalidEvent(
            InvalidReason.UNKNOWN_SCHEMA, f"the schema's id is in Apicurio's own header; set {AS_CONFLUENT}"
        )
    schema, rest = _cut(value)
    return Framed(schema, None, rest)


def number_key(number: int) -> bytes:
    """A numeric schema id as encoded on the wire."""
    return b"\0" + number.to_bytes(4, "big")


def message_index(framed_value: Framed) -> tuple[list[int], bytes]:
    """The index path of a Protobuf value's message in its file, and the serialized message. Raises InvalidEvent."""
    if framed_value.message_index is not None:
        return _read_index(framed_value.message_index)[0], framed_value.payload
    index, begin = _read_index(framed_value.payload)
    return index, framed_value.payload[begin:]


def _cut(data: bytes) -> tuple[bytes, bytes]:
    length = _LENGTHS.get(data[0], 0) if data else 0
    if not length or len(data) < length:
        raise InvalidEvent(InvalidReason.UNKNOWN_SCHEMA, "the schema's id is cut short or of an unknown kind")
    return data[:length], data[length:]


def _read_index(data: bytes) -> tuple[list[int], int]:
    count, at = _varint(data, 0)
    if not 0 <= count <= _DEEPEST_MESSAGE:
        raise InvalidEvent(InvalidReason.UNDECODABLE, "no message index follows the schema id")
    index: list[int] = []
    for _ in range(count):
        number, at = _varint(data, at)
        index.append(number)
    return index or [0], at


def _varint(data: Sequence[int], at: int) -> tuple[int, int]:
    """A zigzag varint at ``at``, and the position after it. Raises InvalidEvent."""
    number = shift = 0
    while at < len(data) and shift < 32:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise InvalidEvent(InvalidReason.UNDECODABLE, "no message index follows the schema id")
