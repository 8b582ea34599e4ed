"""The bytes of an activity, format version 1, read and written without the service's code.

The layout is written down here a second time, from the documentation of ``app/features/activity_bytes.py``.
"""

import struct
from typing import NamedTuple

VERSION = 1
_HEADER = struct.Struct("<B3xIQqIIqqq")
HEADER_BYTES = _HEADER.size
NEVER_HOUR, NO_HOUR = -(2**62), 2**62
GUARD_PARTS = LABEL_PARTS = 3


class Guard(NamedTuple):
    """The last offset applied of one source partition."""

    topic_id: int
    partition: int
    offset: int


class StoredLabel(NamedTuple):
    """One report."""

    transaction: int
    reported_ms: int
    hour: int
    is_fraud: bool


class StoredActivity(NamedTuple):
    """What a stored activity says."""

    topic_id: int
    applied_offset: int
    newest_hour: int
    first_hour: int
    evicted_hour: int
    hours: tuple[tuple[int, int], ...]
    """Hour and transactions."""
    guards: tuple[Guard, ...]
    labels: tuple[StoredLabel, ...]


def read_activity(value: bytes) -> StoredActivity:
    """Everything that an activity's bytes say."""
    version, hours, topic_id, offset, guards, labels, newest, first, evicted = _HEADER.unpack_from(value)
    assert version == VERSION
    assert value[1:4] == b"\0\0\0"
    words = struct.unpack(f"<{hours + GUARD_PARTS * guards + LABEL_PARTS * labels}q", value[HEADER_BYTES:])
    after = hours + GUARD_PARTS * guards
    columns = [words[hours:after][i * guards : (i + 1) * guards] for i in range(GUARD_PARTS)]
    texts = [words[after:][i * labels : (i + 1) * labels] for i in range(LABEL_PARTS)]
    return StoredActivity(
        topic_id,
        offset,
        newest,
        first,
        evicted,
        tuple((word >> 32, word & 0xFFFFFFFF) for word in words[:hours]),
        tuple(map(Guard, *columns)),
        tuple(StoredLabel(t, r, w >> 1, bool(w & 1)) for t, r, w in zip(*texts, strict=True)),
    )


def write_activity(stored: StoredActivity) -> bytes:
    """The bytes that say it."""
    labels = [(text.transaction, text.reported_ms, text.hour << 1 | text.is_fraud) for text in stored.labels]
    words = [hour << 32 | count for hour, count in stored.hours]
    words += [guard[part] for part in range(GUARD_PARTS) for guard in stored.guards]
    words += [label[part] for part in range(LABEL_PARTS) for label in labels]
    header = _HEADER.pack(
        VERSION,
        len(stored.hours),
        stored.topic_id,
        stored.applied_offset,
        len(stored.guards),
        len(stored.labels),
        stored.newest_hour,
        stored.first_hour,
        stored.evicted_hour,
    )
    return header + struct.pack(f"<{len(words)}q", *words)
