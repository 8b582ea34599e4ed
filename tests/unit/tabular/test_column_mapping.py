"""One mapping file serves transaction files and streamed tables; files of either older dialect still load."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import (
    CONTRACT,
    FILE_OPTION,
    HANDBOOK,
    TABLE_SETTING,
    ColumnMapping,
    load_mapping,
)
from app.errors import ConfigurationError
from tests.unit.transaction_files import read, write

OPTIONS = [FILE_OPTION, TABLE_SETTING]
SHARED = """
amount = "major"
numeric_scale = 2
time_unit = "text"
currency = "EUR"
[columns]
transaction_id = "id"
event_time = "booked_at"
amount_minor = "amount"
[fraud_patterns]
1 = "theft"
"""


class Record(NamedTuple):
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@pytest.fixture
def toml(tmp_path: Path) -> Any:
    def written(text: str) -> str:
        path = tmp_path / "mapping.toml"
        path.write_text(text)
        return str(path)

    return written


def test_one_file_gives_the_same_transaction_from_a_csv_row_and_from_a_table_row(
    tmp_path: Path, toml: Any
) -> None:
    name = toml(SHARED.replace("numeric_scale = 2\n", ""))
    row = {
        "id": "7",
        "customer_id": "c1",
        "terminal_id": "t1",
        "booked_at": "2025-10-09 08:53:20",
        "amount": "12.50",
    }
    schema = dict.fromkeys(row, "text")
    path = write(tmp_path / "f.csv", {column: [value] for column, value in row.items()}, schema)  # type: ignore[arg-type]  # a dict of one literal
    change = Record(json.dumps({"op": "c", "after": row}).encode())

    (from_file,) = read(path, load_mapping(name)).transactions()

    assert from_file == ChangeEvents(load_mapping(name, TABLE_SETTING)).decode(change)
    assert (from_file.amount_minor, from_file.event_time) == (1_250, 1_760_000_000_000)


def test_both_options_read_a_file_in_the_same_way(toml: Any) -> None:
    name = toml(SHARED)

    assert load_mapping(name) == load_mapping(name, TABLE_SETTING)
    assert load_mapping(name).columns["event_time"] == "booked_at"


@pytest.mark.parametrize("option", OPTIONS)
def test_built_in_mappings_have_names(option: Any) -> None:
    assert (CONTRACT, HANDBOOK) == (load_mapping("contract", option), load_mapping("handbook", option))


def test_the_older_key_keeps_its_meaning_for_each_option(toml: Any) -> None:
    assert ColumnMapping(amount_factor=2) == load_mapping(toml("amount_scale = 2"))
    assert ColumnMapping(numeric_scale=2) == load_mapping(toml("amount_scale = 2"), TABLE_SETTING)


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        (FILE_OPTION, "amount_scale = -1", r"amount_scale"),
        (TABLE_SETTING, "amount_scale = 41", r"amount_scale"),
        (FILE_OPTION, "amount_scale = 1\namount_factor = 1", "older name of amount_factor"),
        (TABLE_SETTING, "amount_scale = 1\nnumeric_scale = 1", "older name of numeric_scale"),
    ],
)
def test_a_wrong_value_is_reported_under_the_name_in_the_file(
    toml: Any, option: Any, text: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_mapping(toml(text), option)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    "text",
    [
        'amount = "euros"',
        'amount = "major"\namount_factor = 100',
        "amount_factor = 0",
        "numeric_scale = 2.5",
        "time_unit = 3",
        "colums = 1",
        "[columns]\nno_field = 1",
        '[columns]\nmerchant = "x"',
        "not toml",
        "=",
    ],
)
def test_a_file_without_a_mapping_is_refused_with_its_name_and_the_option(
    toml: Any, option: Any, text: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"{option.name} names .*mapping\.toml.*Correct the file"):
        load_mapping(toml(text), option)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_unknown_name_lists_the_built_in_ones(option: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"{option.name}=handbok .*contract, handbook"):
        load_mapping("handbok", option)


@pytest.mark.parametrize("text", ["a = " + "[" * 2_000, "a = " + "{a = " * 2_000, "a." * 2_000 + "b = 1"])
def test_a_mapping_that_is_nested_too_deeply_is_a_wrong_setting(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=r"--mapping names .*m\.toml"):
        load_mapping(str(path), FILE_OPTION)
