"""Memory and time of a process that reads nothing but bombs: `python -m tests.fuzz.bombs [--seconds N] [--json]`.

A bomb is small where it is stored and large where it is read. Each kind gets a process of its own, which reads it again and again
the way a worker does: through the fetcher's classes, the decoder of transactions, and the dead letter. Its memory is taken after
the first rounds and at the end; `peak` is the most that it ever had. Flat means that the end is at most FLAT_MIB above the start,
and the peak at most PEAK_MIB above it.
"""

import argparse
import gzip
import json
import logging
import multiprocessing
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

FLAT_MIB, PEAK_MIB = 16.0, 256.0
WARM_UP_ROUNDS = 3
_MIB = 1024 * 1024
_STATUS = re.compile(r"^(VmRSS|VmHWM):\s+(\d+) kB$", re.MULTILINE)


class Bomb(NamedTuple):
    """What is read, and what it would take without a bound."""

    stored: bytes
    unpacked_mib: float
    read: Callable[[bytes], object]


class Measured(msgspec.Struct):
    """The figures of one kind."""

    kind: str
    stored_bytes: int
    unpacked_mib: float
    rounds: int
    slowest_ms: float
    start_mib: float
    end_mib: float
    peak_mib: float

    @property
    def is_flat(self) -> bool:
        return self.end_mib - self.start_mib <= FLAT_MIB and self.peak_mib - self.start_mib <= PEAK_MIB


def read_batches_as_a_worker(data: bytes) -> int:
    """The number of dead letters that a worker makes of a fetch."""
    from aiokafka import TopicPartition  # noqa: PLC0415  # only the child pays for it

    from app.adapters.cdc.transaction_decoder import decode_plain  # noqa: PLC0415  # as above
    from app.adapters.kafka.record_batches.contained_fetch import (  # noqa: PLC0415  # as above
        ContainedRecords,
        FetchedBatches,
    )
    from app.errors import InvalidEvent  # noqa: PLC0415  # as above
    from app.processing.output_records import dead_letter  # noqa: PLC0415  # as above

    fetched = ContainedRecords(TopicPartition("t", 0), FetchedBatches(data), [], 0, None, None, True, 0)
    letters, none_left = 0, False
    while not none_left:
        records, none_left = fetched.take(50_000)
        for record in records:
            try:
                decode_plain(record)
            except InvalidEvent as error:
                letters += dead_letter(record, error).key != b""
    return letters


def schema_bomb(kind: str, text: str, value: bytes) -> Callable[[bytes], object]:
    """Reads one value of a schema, which is read each time, too."""

    def read(_: bytes) -> object:
        from app.adapters.schema_registry.wire_format import Framed  # noqa: PLC0415  # as above
        from app.adapters.schema_registry.writer_schema import WriterSchema  # noqa: PLC0415  # as above
        from app.adapters.serde.schema_readers import reader  # noqa: PLC0415  # as above
        from app.domain.transaction import Transaction  # noqa: PLC0415  # as above
        from app.errors import InvalidEvent  # noqa: PLC0415  # as above

        try:
            return reader(WriterSchema(kind, text), Transaction)(Framed(b"", None, value))
        except InvalidEvent:
            return None

    return read


def _record(extra: str) -> str:
    names = ("transaction_id", "customer_id", "terminal_id", "currency")
    fields = [f'{{"name":"{name}","type":"string"}}' for name in names]
    fields += [f'{{"name":"{name}","type":"long"}}' for name in ("event_time", "amount_minor")]
    return f'{{"type":"record","name":"Transaction","fields":[{",".join(fields)},{{"name":"x","type":{extra}}}]}}'


def bombs() -> dict[str, Callable[[], Bomb]]:
    """By kind; made in the process that reads them."""
    from tests.support.wire import record_batches  # noqa: PLC0415  # as above
    from tests.support.wire.bombs import wide_batch, zstd_bomb  # noqa: PLC0415  # as above
    from tests.support.wire.record_batches import GZIP, LZ4, SNAPPY, ZSTD, Stored, batch  # noqa: PLC0415  # as above

    def packed(codec: int, payload: bytes) -> Bomb:
        return Bomb(batch([Stored()], codec=codec, payload=payload), 400, read_batches_as_a_worker)

    def compressed(codec: int) -> Bomb:
        return packed(codec, record_batches.compressed(codec, bytes(400 * _MIB)))

    def stored(*records: Stored, codec: int = ZSTD) -> Bomb:
        size = sum(len(record.value or b"") + 130 * len(record.headers) for record in records) / _MIB
        return Bomb(batch(records, codec=codec), round(size), read_batches_as_a_worker)

    def wide() -> Bomb:
        data = b"".join(wide_batch(30, _MIB - 200, base_offset=30 * index) for index in range(12))
        return Bomb(data, 360, read_batches_as_a_worker)

    def schema(kind: str, text: str, value: bytes, mib: float) -> Bomb:
        return Bomb(text.encode() + value, mib, schema_bomb(kind, text, value))

    nulls = _record('{"type":"array","items":"null"}')
    symbols = ",".join(f'"s{i}"' for i in range(10_000))
    enum = f'{{"type":"enum","name":"E","symbols":[{symbols}]}}'
    fields = ",".join(f'{{"name":"f{i}","type":"E"}}' for i in range(5_000))
    enums = _record(f'{{"type":"record","name":"R","fields":[{{"name":"e","type":{enum}}},{fields}]}}')
    value = b"\x02t\x02c\x02T\x06EUR\x02\x02"
    return {
        "zstd, 400 MB declared": lambda: packed(ZSTD, zstd_bomb(400 * _MIB, 400 * _MIB)),
        "zstd, 400 MB undeclared": lambda: packed(ZSTD, zstd_bomb(400 * _MIB)),
        "zstd, window of 128 MB": lambda: packed(ZSTD, zstd_bomb(100, window_log=27)),
        "gzip, 400 MB": lambda: compressed(GZIP),
        "gzip, 50,000 members": lambda: packed(GZIP, gzip.compress(b"") * 50_000),
        "snappy, 400 MB": lambda: compressed(SNAPPY),
        "lz4, 400 MB": lambda: compressed(LZ4),
        "records of 1 MB, 360 of them": wide,
        "a record of 30 MB": lambda: stored(Stored(b"c1", bytes(30 * _MIB))),
        "a million headers": lambda: stored(Stored(b"c1", b"v", [(b"", None)] * 1_000_000)),
        "Avro, 10^9 nulls": lambda: schema("AVRO", nulls, value + b"\x80\xa8\xd6\xb9\x07\0", 8_000),
        "Avro, copies of an enum": lambda: schema("AVRO", enums, value, 3_000),
        "Protobuf, comments": lambda: schema("PROTOBUF", "/* " * 100_000, b"\0", 0),
    }


def measure(kind: str, seconds: float) -> Measured:
    """Read the bomb in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(kind, seconds, sender))
    child.start()
    sender.close()
    try:
        return msgspec.json.decode(receiver.recv_bytes(), type=Measured)
    except EOFError as error:
        raise RuntimeError(f"{kind}: the process ended") from error
    finally:
        child.join()


def _child(kind: str, seconds: float, sender: "multiprocessing.connection.Connection") -> None:
    logging.disable(logging.CRITICAL)
    bomb = bombs()[kind]()
    Path("/proc/self/clear_refs").write_text(
        "5", encoding="ascii"
    )  # the peak counts from here: making the bomb took memory
    rounds, slowest, start, until = 0, 0.0, _memory()[0], time.monotonic() + seconds
    while rounds <= WARM_UP_ROUNDS or time.monotonic() < until:
        begun = time.process_time()
        bomb.read(bomb.stored)
        slowest = max(slowest, 1000 * (time.process_time() - begun))
        rounds += 1
        if rounds == WARM_UP_ROUNDS:
            start = _memory()[0]
    end, peak = _memory()
    figures = (len(bomb.stored), bomb.unpacked_mib, rounds, slowest, start, end, peak)
    sender.send_bytes(msgspec.json.encode(Measured(kind, *figures)))


def _memory() -> tuple[float, float]:
    """Resident memory now and at most, in MiB."""
    found = dict(_STATUS.findall(Path("/proc/self/status").read_text(encoding="utf-8")))
    return int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024


def table(rows: list[Measured]) -> str:
    """The figures for people."""
    head = (
        "kind",
        "stored, bytes",
        "unpacked, MiB",
        "rounds",
        "slowest, ms",
        "start, MiB",
        "end",
        "peak",
        "flat",
    )
    lines = [head] + [
        (
            row.kind,
            f"{row.stored_bytes:,}",
            f"{row.unpacked_mib:,.0f}",
            f"{row.rounds:,}",
            f"{row.slowest_ms:,.0f}",
            f"{row.start_mib:,.0f}",
            f"{row.end_mib:,.0f}",
            f"{row.peak_mib:,.0f}",
            "yes" if row.is_flat else "NO",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def main() -> int:
    """Measure every kind; 1 where one is not flat."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each kind")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    rows = [measure(kind, options.seconds) for kind in bombs()]
    text = json.dumps([msgspec.to_builtins(row) for row in rows], indent=1) if options.json else table(rows)
    sys.stdout.write(text + "\n")
    return int(not all(row.is_flat for row in rows))


if __name__ == "__main__":
    sys.exit(main())
