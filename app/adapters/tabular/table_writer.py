"""Writes a table to Parquet, CSV or JSON lines atomically.

Rows go to a temporary file beside the target, which is renamed when it is complete: a killed command leaves an existing
file unchanged. Equal rows give equal bytes. Parquet and JSON lines hold every text as it is. People open CSV files in
spreadsheets, which compute a cell that begins like a formula, so texts are neutralised there.
"""

import secrets
import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Protocol, Self, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from app.adapters.column_mapping import FIELDS_OF_FILES
from app.adapters.disk import durable_file
from app.adapters.tabular.files import SUFFIXES
from app.domain.safe_text import in_csv
from app.errors import InvalidFile

ColumnType = Literal["text", "integer", "real", "boolean"]
Values: TypeAlias = Sequence[object] | np.ndarray | pa.Array

_TYPES_OF_FIELDS: dict[str, ColumnType] = {
    "event_time": "integer",
    "amount_minor": "integer",
    "latitude": "real",
    "longitude": "real",
    "is_fraud": "boolean",
}
TRANSACTION_SCHEMA: Mapping[str, ColumnType] = types.MappingProxyType(
    {field: _TYPES_OF_FIELDS.get(field, "text") for field in FIELDS_OF_FILES}
)
"""Column types of the fields of a file: the contract and the labels."""

_ARROW_TYPES = {"text": pa.string(), "integer": pa.int64(), "real": pa.float64(), "boolean": pa.bool_()}


_SUSPICIOUS = "^'*[=+@\\-\uff1d\uff0b\uff0d\uff20]|[^ -~\u00a1-\u00ac\u00ae-\u024f]"
"""RE2: what begins like a formula, or has a character that is neither visible nor a space. Only these texts are looked at."""


class _Format(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...
    def close(self) -> None: ...


class TableWriter:
    """A context manager: the target appears when the block ends without an exception; otherwise nothing is left.

    ``schema`` has the type of each column, in order; the target must not be one of the ``inputs``. NaN is kept in Parquet
    and CSV and becomes null in JSON lines. ``raw_csv`` keeps texts in CSV as they are; otherwise they are those of
    ``in_csv``. Raises InvalidFile when the target cannot be written.
    """

    def __init__(
        self,
        path: Path,
        schema: Mapping[str, ColumnType],
        *,
        inputs: Iterable[Path] = (),
        raw_csv: bool = False,
    ) -> None:
        _refuse_target(path, inputs)
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._raw_csv = raw_csv
        self._schema = pa.schema([(name, _ARROW_TYPES[kind]) for name, kind in schema.items()])

    def __enter__(self) -> Self:
        try:
            self._sink = self._temporary.open("xb")  # never through a link that another user has put there
        except OSError as error:
            raise InvalidFile(f"{self._path} cannot be written: {error.strerror}") from error
        self._format = _open_format(self._path.suffix, self._sink, self._schema, raw_csv=self._raw_csv)
        return self

    def write(self, columns: Mapping[str, Values]) -> None:
        """Append rows: one sequence of equal length for each column of the schema."""
        arrays = [_array(columns[field.name], field.type) for field in self._schema]
        try:
            self._format.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        except OSError as error:
            raise InvalidFile(f"{self._path} cannot be written: {error.strerror}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._format.close()
            if kind is None:
                self._sink.close()
                durable_file.publish(self._temporary, self._path)
        finally:
            self._sink.close()
            self._temporary.unlink(missing_ok=True)


def _array(values: Values, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, type=kind)


def _refuse_target(path: Path, inputs: Iterable[Path]) -> None:
    if path.suffix not in SUFFIXES:
        raise InvalidFile(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise InvalidFile(f"{path} cannot be written: its directory does not exist")
    if path.is_dir():
        raise InvalidFile(f"{path} cannot be written: it is a directory")
    if path.exists() and any(source.exists() and path.samefile(source) for source in inputs):
        raise InvalidFile(f"{path} is the input file; choose another --out")


def _open_format(suffix: str, sink: BinaryIO, schema: pa.Schema, *, raw_csv: bool) -> _Format:
    opened: _Format
    if suffix == ".parquet":
        # Numbers and transaction ids rarely repeat: dictionaries of them doubled the time and added a third of the size.
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        repeating = [name for name in texts if name != "transaction_id"]
        opened = pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd", use_dictionary=repeating)
    elif suffix == ".csv":
        opened = pyarrow.csv.CSVWriter(sink, schema)
        opened = opened if raw_csv else _SafeCsv(opened)
    else:
        opened = _JsonLines(sink)
    return opened


class _SafeCsv:
    """Passes batches on with texts that no spreadsheet computes; numbers stay as they are."""

    def __init__(self, file: _Format) -> None:
        self._file = file
        self.close = file.close

    def write_batch(self, batch: pa.RecordBatch) -> None:
        columns = [_safe_texts(column) for column in batch.columns]
        self._file.write_batch(pa.RecordBatch.from_arrays(columns, schema=batch.schema))


def _safe_texts(column: pa.Array) -> pa.Array:
    if (
        not pa.types.is_string(column.type)
        or not pc.any(pc.match_substring_regex(column, _SUSPICIOUS)).as_py()
    ):
        return column
    return pa.array([None if text is None else in_csv(text) for text in column.to_pylist()], pa.string())


class _JsonLines:
    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._encode = msgspec.json.Encoder().encode_lines

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self._sink.write(self._encode(batch.to_pylist()))

    def close(self) -> None:
        """Nothing is buffered here; TableWriter closes the file."""
