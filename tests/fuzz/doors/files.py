"""Files of the commands: CSV, JSON lines and Parquet, by the contract's mapping and by others."""

import io
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from app.adapters.column_mapping import CONTRACT, FILE_OPTION, HANDBOOK, ColumnMapping, load_mapping
from app.adapters.serde.json_codec import decode_transaction, encode_event
from app.adapters.tabular.files import read_batches
from app.errors import ConfigurationError
from tests.contract.doors.values import NOW_MS
from tests.fuzz.doors import json_text
from tests.fuzz.doors.door import ACCEPTED, DATA, REASONS, REFUSED, WHOLE, Door, outcome
from tests.fuzz.doors.worker import FULL, MAPPINGS
from tests.fuzz.memory_directory import memory_directory
from tests.fuzz.mutations import mutated

_OUTCOMES = REASONS | {ACCEPTED, REFUSED}
_LABELLED = FULL | {"is_fraud": 0, "fraud_pattern": "x"}


class Given(NamedTuple):
    """The content of a file, and the number of the mapping that it is read by."""

    data: bytes
    mapping: int


_FILE_MAPPINGS: tuple[tuple[ColumnMapping, dict[str, Any]], ...] = (
    (CONTRACT, {}),
    *((mapping, values) for mapping, values in MAPPINGS if mapping.numeric_scale is None),
    (HANDBOOK, {}),
    (ColumnMapping(columns={"transaction_id": "a.b.c"}, refunds="skip", currency="JPY"), {}),
)


def _row(random: Random) -> tuple[int, dict[str, Any]]:
    number = random.randrange(len(_FILE_MAPPINGS))
    mapping, values = _FILE_MAPPINGS[number]
    fields = _LABELLED | values
    if mapping is HANDBOOK:
        fields |= {"event_time": "2026-01-01 00:00:00", "amount_minor": 12.5}
    return number, {mapping.column(name): value for name, value in fields.items()}


def _csv(random: Random) -> Given:
    number, row = _row(random)
    lines = [",".join(row)]
    for _ in range(random.choice((0, 1, 3))):
        cells = [_cell(value, random) for value in row.values()]
        lines.append(random.choice((",", ",", ",", ";")).join(cells))
    data = random.choice(("\n", "\r\n", "\r")).join(lines).encode("utf-8", "surrogatepass") + random.choice(
        (b"\n", b"")
    )
    return Given(_damaged(data, random), number)


def _cell(value: Any, random: Random) -> str:
    text = (
        str(value)
        if random.random() < 0.95
        else random.choice((*json_text.ODD_TEXTS, '"', 'a"b', '"a\nb"', "\0"))
    )
    return f'"{text}"' if random.random() < 0.2 else text


def _json_lines(random: Random) -> Given:
    number, row = _row(random)
    lines = [
        json_text.text(row, random) if random.random() < 0.3 else json.dumps(row)
        for _ in range(random.choice((1, 2, 3)))
    ]
    return Given(_damaged("\n".join(lines).encode("utf-8", "surrogatepass"), random), number)


def _damaged(data: bytes, random: Random) -> bytes:
    return (
        mutated(data, random, [data, b"\xff\xfea\0", b"PK\x03\x04", b"\x1f\x8b"])
        if random.random() < 0.5
        else data
    )


@cache
def _parquet_files() -> tuple[Given, ...]:
    """Sound files: each mapping by some compressions and encodings, and columns of types that no field has."""
    made = []
    for number in range(len(_FILE_MAPPINGS)):
        _, row = _row_of(number)
        for options in (
            {"compression": "none"},
            {"compression": "snappy", "use_dictionary": False},
            {"compression": "zstd"},
        ):
            written = io.BytesIO()
            pq.write_table(pa.table({name: [value] * 3 for name, value in row.items()}), written, **options)
            made.append(Given(written.getvalue(), number))
    for column, values in _ODD_COLUMNS:
        written = io.BytesIO()
        table = {name: [value] for name, value in _LABELLED.items()} | {column: values}
        pq.write_table(pa.table(table), written, compression="none")
        made.append(Given(written.getvalue(), 0))
    return tuple(made)


def _row_of(number: int) -> tuple[int, dict[str, Any]]:
    seed = next(n for n in range(10_000) if _row(Random(n))[0] == number)
    return _row(Random(seed))


_ODD_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("transaction_id", pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())),
    ("currency", pa.array([b"\xff\xfe\xfd"], pa.binary()).view(pa.string())),
    ("terminal_id", pa.array([{"a": [1]}])),
    ("amount_minor", pa.array([10**30], pa.decimal128(38, 0))),
    ("amount_minor", pa.array([2**64 - 1], pa.uint64())),
    ("amount_minor", pa.array([b"\xff"], pa.binary()).view(pa.string())),
    ("event_time", pa.array([2**62], pa.timestamp("us"))),
    ("event_time", pa.array([2**62], pa.timestamp("us", tz="+23:59"))),
    ("event_time", pa.array([b"\xff" * 20], pa.binary()).view(pa.string())),
    ("event_time", pa.array([NOW_MS], pa.time64("us"))),
    ("is_fraud", pa.array([None])),
    ("is_fraud", pa.array([2**63 - 1])),
    ("channel", pa.array(["a"]).dictionary_encode()),
    ("channel", pa.array([b"\xff"], pa.binary()).view(pa.string())),
    ("fraud_pattern", pa.array([b"\xff"], pa.binary()).view(pa.string())),
    ("mcc", pa.array([742], pa.int16())),
    ("latitude", pa.array([float("nan")])),
    ("latitude", pa.array(["48.1"])),
    ("latitude", pa.array([b"\xff"], pa.binary()).view(pa.string())),
    ("longitude", pa.array([None], pa.float64())),
)


def _parquet(random: Random) -> Given:
    files = _parquet_files()
    given = random.choice(files)
    if random.random() < 0.05:
        return given
    return given._replace(data=mutated(given.data, random, [random.choice(files).data]))


def _by_file(suffix: str) -> Callable[[Given], str]:
    def decode(given: Given) -> str:
        path = memory_directory() / f"{os.getpid()}{suffix}"
        path.write_bytes(given.data)
        try:
            return outcome(lambda: _read(path, _FILE_MAPPINGS[given.mapping][0]))
        finally:
            path.unlink()

    return decode


def _read(path: Path, mapping: ColumnMapping) -> None:
    """Read all rows; each must be a transaction of the contract."""
    for batch in read_batches(path, mapping, batch_rows=100):
        for transaction in batch.transactions():
            assert decode_transaction(encode_event(transaction)) == transaction


_MAPPING_SEED = b"""amount = "major"
rounding = "half_even"
time_unit = "us"
currency = "EUR"
refunds = "skip"
[columns]
transaction_id = "id"
customer_id = { column = "a", case = "upper", default = "x", strip = "$", values = { a = "b" } }
terminal_id = { template = "{Year:4}-{Month:2}" }
event_time = { column = "s", origin = 2017-12-01T00:00:00Z, step_seconds = 3600 }
device_id = { hash_of = ["a", "b"] }
card_token = { row_number = true }
[fraud_patterns]
1 = "large_amount"
"""


def _mapping(random: Random) -> bytes:
    return mutated(
        _MAPPING_SEED, random, [_MAPPING_SEED, b"[[", b"amount_scale = 2\n", b"a = 1e999\n", b"key = 1\n"]
    )


def _load(data: bytes) -> str:
    path = memory_directory() / f"{os.getpid()}.toml"
    path.write_bytes(data)
    try:
        load_mapping(str(path), FILE_OPTION)
    except ConfigurationError:
        return REFUSED
    finally:
        path.unlink()
    return ACCEPTED


FILE_DOORS = (
    Door("csv", "CSV files", _csv, _by_file(".csv"), _OUTCOMES, payload=DATA),
    Door("json-lines", "files of JSON lines", _json_lines, _by_file(".jsonl"), _OUTCOMES, payload=DATA),
    Door("parquet", "Parquet files", _parquet, _by_file(".parquet"), _OUTCOMES, growth_mib=512, payload=DATA),
    Door(
        "mapping", "column mappings in TOML", _mapping, _load, frozenset({ACCEPTED, REFUSED}), payload=WHOLE
    ),
)
