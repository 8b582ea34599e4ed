"""The bounds on what is read from a broker, as the settings say, and what a record exceeds.

Anyone with the right to write to a topic decides what its batches unpack to.
"""

from typing import NamedTuple

from app.settings import KafkaSettings
from app.settings.kinds import variable

OWN_HEADERS, OWN_HEADER_BYTES = 16, 8 * 1024
"""What a record may have beyond its bounds: the headers of a dead letter, or of one that was sent again."""
HEADER_COST = 200
"""Bytes of memory that a header takes besides its content: the pair, the name and the value as objects."""
RECORD_COST = 400
"""The same for a record."""


MOST_SHIFT = 28
"""Bits before the last byte of a number of 32 bits."""


class ReadLimits(NamedTuple):
    """Bounds of one process; see the settings of the same names."""

    batch_unpacked_bytes: int
    batch_records: int
    record_bytes: int
    record_headers: int
    record_header_bytes: int
    poll_bytes: int
    control_record_bytes: int
    control_reports: int

    @classmethod
    def by(cls, kafka: KafkaSettings) -> "ReadLimits":
        return cls(*(getattr(kafka, name) for name in cls._fields))


DEFAULT = ReadLimits.by(KafkaSettings())
_in_force = [DEFAULT]


def use(kafka: KafkaSettings | str) -> None:
    """Read by these settings from now on, in the whole process: the codecs of aiokafka's parser are replaced for all of it, and
    are given no argument. The address of brokers without settings changes nothing.
    """
    if not isinstance(kafka, str):
        _in_force[0] = ReadLimits.by(kafka)


def in_force() -> ReadLimits:
    return _in_force[0]


def setting(limit: str) -> str:
    """The name of the setting, for messages."""
    return variable("kafka", limit)


def excess(data: bytes, start: int, end: int, limits: ReadLimits) -> str:
    """How the record whose content is ``data[start:end]`` exceeds a bound; empty where it does not.

    Nothing is copied. A damaged record exceeds none. Raises IndexError where its last field ends behind ``data``.
    """
    if end - start > limits.record_bytes + OWN_HEADER_BYTES:
        return f"the record has {end - start:,} bytes, more than {setting('record_bytes')}={limits.record_bytes:,}"
    count, at = header_count(data, start)
    if count > limits.record_headers + OWN_HEADERS:
        return f"the record has {count:,} headers, more than {setting('record_headers')}={limits.record_headers:,}"
    if end - at > limits.record_header_bytes + OWN_HEADER_BYTES:
        most = f"{setting('record_header_bytes')}={limits.record_header_bytes:,}"
        return f"the headers of the record have {end - at:,} bytes, more than {most}"
    return ""


def header_count(data: bytes, start: int) -> tuple[int, int]:
    """The number of headers of the record whose content begins at ``start``, and where they begin. Raises IndexError for damage."""
    at = _past_number(data, _past_number(data, start + 1))
    for _ in ("key", "value"):
        length, at = number(data, at)
        at += max(length, 0)
    return number(data, at)


def number(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number of 32 bits, and the index behind it. Raises IndexError at the end, and for a longer one."""
    raw = shift = 0
    while (byte := data[at]) >= 0x80:
        raw |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if shift > MOST_SHIFT:
            raise IndexError
    raw |= byte << shift
    return (raw >> 1) ^ -(raw & 1), at + 1


def _past_number(data: bytes, at: int) -> int:
    while data[at] >= 0x80:
        at += 1
    return at + 1
