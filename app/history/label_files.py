"""Reads fraud labels by transaction id from a labelled history or from JSON lines of `fraud.labels.v1`."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.column_mapping import ColumnMapping
from app.adapters.file_bounds import bounded_lines
from app.adapters.tabular.files import read_batches
from app.errors import InvalidFile

_JSON_LINES = {".jsonl", ".ndjson"}


class _LabelRecord(msgspec.Struct):
    transaction_id: str
    is_fraud: bool


def read_fraud_flags(path: Path, mapping: ColumnMapping) -> dict[str, bool]:
    """Whether each transaction was a fraud, by id; the last of several labels counts. Raises InvalidFile."""
    if path.suffix in _JSON_LINES:
        return _json_lines(path)
    known: dict[str, bool] = {}
    for batch in read_batches(path, mapping):
        if batch.is_fraud is None:
            raise InvalidFile(f"{path} has no labels. Add a column is_fraud, or a mapping that names one.")
        known.update(zip(batch.transaction_id.to_pylist(), batch.is_fraud.tolist(), strict=True))
    return known


def decode_fraud_flags(values: Iterable[bytes], where: str) -> dict[str, bool]:
    """As ``read_fraud_flags``, from JSON objects with ``transaction_id`` and ``is_fraud``. Raises InvalidFile."""
    decode, known = BoundedDecoder(_LabelRecord).decode, dict[str, bool]()
    for number, value in enumerate(values, start=1):
        try:
            label = decode(value)
        except msgspec.ValidationError as error:
            raise InvalidFile(f"{where}, row {number}: {error}") from error
        except (ValueError, RecursionError) as error:  # its message may quote the line
            raise InvalidFile(f"{where}, row {number}: is not a JSON object in UTF-8") from error
        known[label.transaction_id] = label.is_fraud
    return known


class FlagsOfRecords:
    """As ``decode_fraud_flags``, from the records of a topic, to which others write: one that is no label is counted."""

    def __init__(self) -> None:
        self.known: dict[str, bool] = {}
        self.unreadable = 0
        self._decoder = BoundedDecoder(_LabelRecord)

    def add(self, value: bytes) -> None:
        label = self._decoder.attempt(value)
        if label is None:
            self.unreadable += 1
        else:
            self.known[label.transaction_id] = label.is_fraud


def _json_lines(path: Path) -> dict[str, bool]:
    try:
        return decode_fraud_flags(bounded_lines(path), str(path))
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror}") from error
