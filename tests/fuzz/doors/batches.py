"""Record batches as a Fetch response has them, with sound and unsound checksums."""

import struct
from random import Random

from app.adapters.kafka.record_batches.batch_reader import read_batches
from tests.fuzz.doors.door import Door, Payload
from tests.fuzz.mutations import mutated
from tests.support.wire import record_batches
from tests.support.wire.record_batches import GZIP, LZ4, NONE, SNAPPY, ZSTD, Stored

_CODECS = (NONE, NONE, GZIP, SNAPPY, LZ4, ZSTD)
_STORED = (
    Stored(b"c1", b'{"transaction_id":"t1"}'),
    Stored(None, None),
    Stored(b"", b"", ((b"traceparent", b"00-1"), (b"\xff\xfe", None), (b"", b""))),
    Stored(b"k" * 40, b"v" * 300, ((b"a", b"b"),) * 20, timestamp_delta=-5),
    Stored(b"c1", b"x", attributes=0x80),
)
_CONTROL, _TRANSACTIONAL, _APPEND_TIME = 0x20, 0x10, 0x08
_BATCHES = [
    record_batches.batch(_STORED[:count], base_offset=100, codec=codec, attributes=attributes)
    for count in (1, 3, 5)
    for codec in _CODECS
    for attributes in (0, 0, _APPEND_TIME, _TRANSACTIONAL, _TRANSACTIONAL | _CONTROL)
]
_MEASURED_FROM, _CHECKED_FROM = 12, 21
"""The length of a batch counts from the first byte, its checksum from the second; each is stored before it."""
_MOST_RECORDS = 5_000
"""More than the inputs hold: a reader that invents records would not end."""


def _make(random: Random) -> bytes:
    parts = [_one(random) for _ in range(random.choice((1, 1, 2, 3)))]
    data = b"".join(parts)
    return mutated(data, random, _BATCHES) if random.random() < 0.2 else data


def _one(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.1:
        return random.choice(_BATCHES)
    if kind < 0.4:
        return mutated(random.choice(_BATCHES), random, _BATCHES)
    if kind < 0.7:
        damaged = mutated(random.choice(_BATCHES), random, _BATCHES)
        return record_batches.with_checksum(damaged) if len(damaged) > _CHECKED_FROM else damaged
    return _damaged_body(random)


def _damaged_body(random: Random) -> bytes:
    """A batch whose header is sound and whose records are not."""
    count = random.choice((1, 3, 5))
    records = b"".join(record_batches.record(one, at) for at, one in enumerate(_STORED[:count]))
    body = mutated(records, random, [records])
    return record_batches.batch(
        _STORED[:count], base_offset=100, codec=random.choice(_CODECS), body=body[:5_000]
    )


def _replaced(given: bytes, data: bytes) -> bytes:
    """Length and checksum of the new bytes are right where the old ones are: hardly any of them would get past these."""
    return _completed(data) if given == _completed(given) else data


def _completed(data: bytes) -> bytes:
    if len(data) <= _CHECKED_FROM:
        return data
    length = struct.pack(">i", len(data) - _MEASURED_FROM)
    return record_batches.with_checksum(data[: _MEASURED_FROM - 4] + length + data[_MEASURED_FROM:])


def _decode(data: bytes) -> str:
    position, stopped, records = 100, False, 0
    for read in read_batches(data, position):
        for record in read.records:
            assert record.offset >= position
            position = record.offset + 1
            bytes(record.value or b"")
            [(str(name), value) for name, value in record.headers]
        records += len(read.records)
        position = max(position, read.next_offset)
        if read.stop is not None:
            stopped, position = True, read.stop.next_offset or position
            assert str(read.stop)
            break
        assert records < _MOST_RECORDS
    return "stops" if stopped else "read" if records else "nothing"


BATCH_DOORS = (
    Door(
        "batches",
        "record batches of the broker",
        _make,
        _decode,
        frozenset({"stops", "read", "nothing"}),
        growth_mib=320,
        payload=Payload(lambda data: data, _replaced),
    ),
)
