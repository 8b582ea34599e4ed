"""Fields that a catalog declares are read from files of every format, typed and checked as their declaration says."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.adapters.column_mapping import CONTRACT, ColumnMapping, load_mapping
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.table_writer import ColumnType
from app.catalog.definitions import Field
from app.errors import ConfigurationError, InvalidFile
from app.expressions.names import Kind
from tests.unit.transaction_files import ROWS, SCHEMA, SUFFIXES, read, write

FIELDS = (
    Field(name="payee_id", kind=Kind.IDENTIFIER, max_length=8),
    Field(name="entry_mode", kind=Kind.CATEGORY, values=("chip", "keyed")),
    Field(name="device_trust", kind=Kind.NUMBER, minimum=0, maximum=1),
    Field(name="balance_minor", kind=Kind.MONEY),
    Field(name="strong_auth", kind=Kind.BOOLEAN),
    Field(name="payee_added", kind=Kind.TIME),
)
TYPES: dict[str, ColumnType] = {
    "payee_id": "text",
    "entry_mode": "text",
    "device_trust": "real",
    "balance_minor": "integer",
    "strong_auth": "boolean",
    "payee_added": "integer",
}
VALUES: dict[str, list[Any]] = {
    "payee_id": ["p1", None, "p2"],
    "entry_mode": ["chip", "keyed", None],
    "device_trust": [0.25, None, 1.0],
    "balance_minor": [-5_000, None, 10**15],
    "strong_auth": [True, False, None],
    "payee_added": [None, 1_522_540_832_001, 1_522_540_833_999],
}
MAPPING = msgspec.structs.replace(CONTRACT, declared=FIELDS)


def file_of(path: Path, **changes: list[Any]) -> Path:
    return write(path, ROWS | VALUES | changes, SCHEMA | TYPES)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_declared_fields_are_read_with_their_types(tmp_path: Path, suffix: str) -> None:
    batch = read(file_of(tmp_path / f"f{suffix}"), MAPPING)

    assert {name: column.to_pylist() for name, column in batch.declared.items()} == VALUES
    assert not set(VALUES) & set(batch.columns())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sorting_keeps_declared_fields_beside_their_rows(tmp_path: Path, suffix: str) -> None:
    backwards = {name: values[::-1] for name, values in (ROWS | VALUES).items()}
    path = write(tmp_path / f"f{suffix}", backwards, SCHEMA | TYPES)
    (batch,) = read_batches(path, MAPPING, sort=True)

    assert {name: column.to_pylist() for name, column in batch.declared.items()} == VALUES


def test_a_file_need_not_have_the_optional_fields(tmp_path: Path) -> None:
    assert read(write(tmp_path / "f.csv", ROWS), MAPPING).declared == {}


def test_without_a_catalog_other_columns_are_ignored(tmp_path: Path) -> None:
    assert read(file_of(tmp_path / "f.csv", device_trust=[7, None, -1])).declared == {}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("payee_id", "", "is empty"),
        ("payee_id", "x" * 9, "is longer than 8 characters"),
        ("entry_mode", "chipp", "must be one of chip, keyed"),
        ("device_trust", 1.5, "must be at most 1"),
        ("device_trust", -0.5, "must be at least 0"),
        ("balance_minor", 10**15 + 1, "must lie within 1,000,000,000,000,000 minor units"),
    ],
)
def test_a_value_against_its_declaration_is_refused_with_row_and_column(
    tmp_path: Path, suffix: str, column: str, value: object, what: str
) -> None:
    with pytest.raises(InvalidFile, match=f"row 3, column `{column}`: {what}$"):
        list(
            read_batches(
                file_of(tmp_path / f"f{suffix}", **{column: [*VALUES[column][:2], value]}),
                MAPPING,
                batch_rows=2,
            )
        )


@pytest.mark.parametrize(
    ("column", "text", "what"),
    [
        ("device_trust", "high", "must be a number"),
        ("device_trust", "nan", "must be finite"),
        ("balance_minor", "12.50", "must be an integer of minor units"),
        ("strong_auth", "perhaps", "must be a boolean, or 0 or 1"),
        ("payee_added", "yesterday", ""),
    ],
)
def test_text_that_is_no_value_of_the_type_is_refused(
    tmp_path: Path, column: str, text: str, what: str
) -> None:
    path = write(tmp_path / "f.csv", ROWS | {column: [None, None, text]}, SCHEMA | {column: "text"})
    with pytest.raises(InvalidFile, match=f"row 3, column `{column}`: {what}"):
        read(path, MAPPING)


def test_a_required_field_needs_its_column_and_a_value_in_every_row(tmp_path: Path) -> None:
    mapping = msgspec.structs.replace(
        CONTRACT, declared=(Field(name="payee_id", kind=Kind.IDENTIFIER, required=True),)
    )
    with pytest.raises(InvalidFile, match=r"no column `payee_id` \(field payee_id\)"):
        read(write(tmp_path / "f.csv", ROWS), mapping)
    with pytest.raises(InvalidFile, match="row 2, column `payee_id`: is null"):
        read(file_of(tmp_path / "g.csv"), mapping)


def test_a_mapping_file_may_name_the_column_of_a_declared_field(tmp_path: Path) -> None:
    toml = tmp_path / "mapping.toml"
    toml.write_text('[columns]\npayee_id = "country"\nentry_mode = { value = "chip" }\n')
    batch = read(write(tmp_path / "f.csv", ROWS), load_mapping(str(toml), declared=FIELDS))

    assert batch.declared["payee_id"].to_pylist() == ["FR", None, "NA"]
    assert batch.declared["entry_mode"].to_pylist() == ["chip"] * 3
    with pytest.raises(
        ConfigurationError, match=r"columns\.entry_mode is no field of the contract or the catalog"
    ):
        load_mapping(str(toml))


def test_a_mapping_file_declares_no_fields(tmp_path: Path) -> None:
    toml = tmp_path / "mapping.toml"
    toml.write_text('declared = [{ name = "payee_id", kind = "identifier" }]\n')
    with pytest.raises(ConfigurationError, match="a catalog does"):
        load_mapping(str(toml))


def test_json_lines_may_have_a_declared_field_in_some_batches_only(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", ROWS)
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([first[:-1] + ',"device_trust":0.5}', *others]))
    found = [batch.declared for batch in read_batches(path, MAPPING, batch_rows=1)]
    (whole,) = read_batches(path, MAPPING, sort=True)

    assert found[0]["device_trust"].to_pylist() == [0.5]
    assert found[1:] == [{}, {}]
    assert whole.declared["device_trust"].to_pylist() == [0.5, None, None]


def test_built_in_mappings_take_declared_fields() -> None:
    assert load_mapping("handbook", declared=FIELDS).declared == FIELDS
    assert load_mapping(None, declared=FIELDS) == MAPPING
    assert isinstance(load_mapping("paysim", declared=FIELDS), ColumnMapping)
