"""What became known of transactions, from a file: a labelled history, or labels as `fraud.labels.v1` carries them."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.adapters.column_mapping import ColumnMapping
from app.adapters.tabular.files import read_batches
from app.errors import InvalidFile

_JSON_LINES = {".jsonl", ".ndjson"}


class _Known(msgspec.Struct):
    transaction_id: str
    is_fraud: bool


def read_labels(path: Path, mapping: ColumnMapping) -> dict[str, bool]:
    """Whether each transaction was a fraud; of several labels the last in the file counts. Raises InvalidFile."""
    if path.suffix in _JSON_LINES:
        return _json_lines(path)
    known: dict[str, bool] = {}
    for batch in read_batches(path, mapping):
        if batch.is_fraud is None:
            raise InvalidFile(f"{path} has no labels: a column for is_fraud, or a mapping that names it")
        known.update(zip(batch.transaction_id.to_pylist(), batch.is_fraud.tolist(), strict=True))
    return known


def decode_labels(values: Iterable[bytes], where: str) -> dict[str, bool]:
    """Of JSON objects with ``transaction_id`` and ``is_fraud``, in order. Raises InvalidFile."""
    decode, known = msgspec.json.Decoder(_Known).decode, dict[str, bool]()
    for number, value in enumerate(values, start=1):
        try:
            label = decode(value)
        except msgspec.MsgspecError as error:
            raise InvalidFile(f"{where}, row {number}: {error}") from error
        known[label.transaction_id] = label.is_fraud
    return known


def _json_lines(path: Path) -> dict[str, bool]:
    try:
        with path.open("rb") as lines:
            return decode_labels(lines, str(path))
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror}") from error
