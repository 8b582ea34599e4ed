"""Amounts of files: exact by the decimals of each row's currency, or refused with the reason."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from app.adapters.column_mapping import ColumnMapping, load_mapping
from app.adapters.mapped_values.amounts import minor_units
from app.adapters.mapped_values.refused import Refused
from app.adapters.tabular.files import read_batches
from app.errors import InvalidFile
from tests.support.paths import SHARED
from tests.unit.transaction_files import ROWS, SCHEMA, SUFFIXES, read, write

CASE = SHARED / "cases" / "06-one-scale-for-all-currencies"
needs_case = pytest.mark.skipif(not CASE.exists(), reason="the collected cases are not on this machine")
MAJOR = ColumnMapping(amount="major")


def a_file(path: Path, amounts: list[str], currencies: list[str]) -> Path:
    rows = {name: values[: len(amounts)] for name, values in ROWS.items()}
    rows |= {"amount_minor": amounts, "currency": currencies}
    return write(path, rows, SCHEMA | {"amount_minor": "text"})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_decimals_than_the_currency_has_are_refused(tmp_path: Path, suffix: str) -> None:
    path = a_file(tmp_path / f"f{suffix}", ["12.345", "12.345"], ["KWD", "EUR"])

    with pytest.raises(
        InvalidFile, match="row 2, column `amount_minor`: has more decimals than its currency"
    ):
        read(path, MAJOR)


def test_one_factor_is_refused_for_a_currency_of_other_decimals(tmp_path: Path) -> None:
    path = a_file(tmp_path / "f.csv", ["12.50", "1500"], ["EUR", "JPY"])

    with pytest.raises(InvalidFile, match=r'row 2, .* amount_factor = 100 is for 2; .*amount = "major"'):
        read(path, ColumnMapping(amount_factor=100))


def test_a_mapping_that_names_its_currency_says_which_factor_it_has() -> None:
    assert 1_500_000 == minor_units("1500", "JPY", ColumnMapping(amount_factor=1_000, currency="JPY"))


@pytest.mark.parametrize(
    ("value", "currency", "rounded"),
    [
        ("0.005", "EUR", 0), ("0.015", "EUR", 2), ("0.0050001", "EUR", 1), ("2.5", "JPY", 2), ("3.5", "JPY", 4),
        (85.64999999999999, "EUR", 8_565), (29.125, "USD", 2_912), ("1E-99", "EUR", 0), ("-0.015", "EUR", -2),
    ],
)  # fmt: skip
def test_an_amount_is_rounded_only_if_the_mapping_says_so(value: Any, currency: str, rounded: int) -> None:
    assert rounded == minor_units(value, currency, ColumnMapping(amount="major", rounding="half_even"))
    with pytest.raises(Refused):
        minor_units(value, currency, MAJOR)


@needs_case
def test_the_collected_case(tmp_path: Path) -> None:
    payments = tmp_path / "payments.csv"
    shutil.copy(CASE / "payments.csv", payments)
    with pytest.raises(InvalidFile, match="line 5, row 4, column `amount_minor`: has more decimals"):
        list(read_batches(payments, MAJOR))
    with pytest.raises(InvalidFile, match=r"row 2, .*is in a currency with 0 decimals"):
        list(read_batches(payments, load_mapping(str(CASE / "mapping.toml"))))
    payments.write_text("".join(payments.read_text().splitlines(keepends=True)[:-1]))

    assert read(payments, MAJOR).amount_minor.tolist() == [1_250, 1_500, 12_345]
