"""A mapping builds fields from columns: the same for rows of files and of tables."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import FILE_OPTION, LAYOUTS, TABLE_SETTING, ColumnMapping, load_mapping
from app.adapters.field_source import Source, TokenKey
from app.adapters.mapped_values.building import builder
from app.adapters.mapped_values.refused import Refused
from app.adapters.tabular.files import read_batches
from app.errors import ConfigurationError, InvalidFile
from tests.unit.transaction_files import parquet, read

CARD = "4111111111111111"
SECRET = b"0123456789abcdef"
ROW: dict[str, Any] = {
    "transaction_id": "t1", "customer_id": "c1", "terminal_id": "m1", "event_time": 1_767_225_600_000,
    "amount_minor": 1250, "currency": "EUR",
}  # fmt: skip


class Record(NamedTuple):
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def built(source: Source, *values: object, row: int = 7) -> object:
    return builder(source, TokenKey(SECRET))(values, row)


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        (Source(row_number=True), [], "7"),
        (Source(value="unknown"), [], "unknown"),
        (Source(column="a"), ["x"], "x"),
        (Source(column="a", default="d"), [None], "d"),
        (Source(column="a"), [None], None),
        (Source(template="{a}-{b:02}T{c}"), [2012, "9", "06:21"], "2012-09T06:21"),
        (Source(template="{a}-{b}"), ["x", None], None),
        (Source(column="a", strip="$,"), ["$1,234.50"], "1234.50"),
        (Source(column="a", case="upper"), ["usd"], "USD"),
        (Source(column="a", values={"Yes": "1", "No": "0"}), ["Yes"], "1"),
        (Source(column="a", case="lower", values={"yes": "1"}), ["YES"], "1"),
        (Source(column="a", values={"Yes": "1"}), ["Maybe"], "Maybe"),
        (Source(column="a", values={"true": "1"}), [True], "1"),
    ],
)
def test_text_is_built_and_converted_in_the_documented_order(
    source: Source, values: list[object], expected: object
) -> None:
    assert built(source, *values) == expected


def test_a_hash_depends_on_every_value_and_on_their_borders() -> None:
    source = Source(hash_of=("a", "b"))
    hashes = [
        built(source, *pair) for pair in [("ab", "c"), ("a", "bc"), ("abc", None), (None, "abc"), ("ab", "c")]
    ]

    assert len(set(hashes)) == 4
    assert hashes[0] == hashes[-1]
    assert len(str(hashes[0])) == 32


def test_a_token_is_the_hmac_of_the_value_by_the_key() -> None:
    token = built(Source(column="a", token=True), CARD)

    assert token == hmac.new(SECRET, CARD.encode(), hashlib.sha256).hexdigest()[:32]
    assert SECRET.decode() not in repr(TokenKey(SECRET))


@pytest.mark.parametrize(
    ("step_seconds", "value", "expected"),
    [
        (1, "86401.5", 86_401_500),
        (3600, 2, 7_200_000),
        (86_400, "0", 0),
        (0.5, "3", 1_500),
        (1, "-0.0001", -1),
    ],
)
def test_a_relative_clock_counts_steps_from_its_origin(
    step_seconds: float, value: object, expected: int
) -> None:
    keys = f'column = "a", origin = 2017-01-01T00:00:00Z, step_seconds = {step_seconds}'
    source = _mapping(f"[columns]\nevent_time = {{ {keys} }}").sources["event_time"]

    assert built(source, value) == 1_483_228_800_000 + expected
    with pytest.raises(Refused, match="number of steps"):
        built(source, "secret")


def _mapping(text: str, directory: Path | None = None, **options: Any) -> ColumnMapping:
    import tempfile  # noqa: PLC0415  # only where a test has no directory

    with tempfile.TemporaryDirectory() as temporary:
        path = (directory or Path(temporary)) / "mapping.toml"
        path.write_text(text)
        return load_mapping(str(path), **options)


NESTED = """
time_unit = "s"
[columns]
transaction_id = "data.object.id"
customer_id = { column = "data.object.card", token = true }
terminal_id = { column = "data.object.shop", default = "unknown" }
event_time = "created"
amount_minor = "data.object.amount"
currency = { column = "data.object.currency", case = "upper" }
channel = { template = "{type}/{data.object.way:03}" }
"""


def test_paths_into_nested_objects_are_the_same_in_every_source(tmp_path: Path) -> None:
    event = {
        "created": 1_767_225_600, "type": "charge",
        "data": {"object": {"id": "ch_1", "card": CARD, "amount": 2000, "currency": "usd", "way": 7}},
    }  # fmt: skip
    (tmp_path / "key").write_bytes(SECRET + b"\n")
    key = str(tmp_path / "key")
    mapping = _mapping(NESTED, tmp_path, token_key_file=key)
    lines = tmp_path / "f.jsonl"
    lines.write_text(json.dumps(event) + "\n")
    change = Record(json.dumps({"op": "c", "after": event}).encode())

    (from_lines,) = read(lines, mapping).transactions()
    (from_parquet,) = read(
        parquet(tmp_path / "f.parquet", {k: [v] for k, v in event.items()}), mapping
    ).transactions()

    assert from_lines == from_parquet
    assert from_lines == ChangeEvents(_mapping(NESTED, option=TABLE_SETTING, token_key_file=key)).decode(
        change
    )
    assert (from_lines.currency, from_lines.terminal_id, from_lines.channel) == (
        "USD",
        "unknown",
        "charge/007",
    )
    assert CARD not in str(from_lines)


def test_a_column_whose_name_has_dots_is_read_as_such(tmp_path: Path) -> None:
    row = {**ROW, "a.b": "x", "a": {"b": "y"}}
    path = tmp_path / "f.jsonl"
    path.write_text(json.dumps(row) + "\n")

    assert read(path, ColumnMapping(columns={"channel": "a.b"})).columns()["channel"].to_pylist() == ["x"]


def test_refunds_are_left_out_and_counted_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    amounts = ["1.00", "-2.00", "-0.00", "3.00", "-.01", "x"]
    lines = [
        ",".join([f"t{i}", "c", "m", "1767225600000", amount, "EUR"]) for i, amount in enumerate(amounts, 1)
    ]
    mapping = ColumnMapping(amount="major", refunds="skip")
    header = ",".join(ROW) + "\n"
    path.write_text(header + "\n".join(lines[:5]))
    batches = list(read_batches(path, mapping, batch_rows=2))

    rows = [(batch.first_row + i, batch.row(i)) for batch in batches for i in range(len(batch))]
    assert rows == [(1, 1), (2, 3), (3, 4)]
    assert sum(batch.skipped for batch in batches) == 2
    assert sum(batch.skipped for batch in read_batches(path, mapping, batch_rows=2, sort=True)) == 2
    path.write_text(header + "\n".join(lines))
    with pytest.raises(InvalidFile, match="line 7, row 6, column `amount_minor`"):
        list(read_batches(path, mapping))
    with pytest.raises(InvalidFile, match="row 2, column `amount_minor`: is negative"):
        list(read_batches(path, ColumnMapping(amount="major")))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("event_time = {}", "give one of column, template"),
        ('event_time = { column = "a", value = "b" }', "give one of column, template"),
        ('event_time = { template = "a" }', "template names no column"),
        ('event_time = { column = "a", origin = 2017-01-01T00:00:00 }', "origin needs its offset"),
        ('channel = { column = "a", origin = 2017-01-01T00:00:00Z }', "origin, which is for event_time"),
        ('channel = { column = "a", step_seconds = 0 }', "step_seconds"),
        ('channel = { colum = "a" }', "colum"),
        ('channel = { column = "a", case = "title" }', "case"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(keys: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _mapping(f"[columns]\n{keys}")


def test_a_key_comes_from_a_file_and_never_from_the_mapping(tmp_path: Path) -> None:
    text = '[columns]\ncustomer_id = { column = "cc", token = true }'
    (tmp_path / "short").write_text("0123456789")

    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_MAPPING_TOKEN_KEY_FILE is not set"):
        _mapping(text)
    with pytest.raises(ConfigurationError, match="fewer than 16 bytes"):
        _mapping(text, token_key_file=str(tmp_path / "short"))
    with pytest.raises(ConfigurationError, match="No such file"):
        _mapping(text, token_key_file=str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="a mapping holds no key"):
        _mapping('key = "secret"')


@pytest.mark.parametrize("text", ['refunds = "skip"', "[columns]\ntransaction_id = { row_number = true }"])
def test_what_only_files_can_have_is_refused_for_tables(text: str) -> None:
    assert _mapping(text, option=FILE_OPTION)
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_CDC_MAPPING"):
        _mapping(text, option=TABLE_SETTING)


def test_every_layout_has_a_mapping_that_loads(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(SECRET)

    for name in LAYOUTS:
        assert load_mapping(name, token_key_file=str(tmp_path / "key")).columns
