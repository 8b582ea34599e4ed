"""A whole column is converted as the definition converts each of its values, to the same value or the same reason."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.column_mapping import ColumnMapping
from app.adapters.mapped_values.amounts import minor_units
from app.adapters.mapped_values.refused import Refused
from app.adapters.mapped_values.times import milliseconds
from app.adapters.tabular.batches import encoded
from app.adapters.tabular.column import Column
from app.adapters.tabular.decoding.amount_columns import amounts
from app.adapters.tabular.decoding.time_columns import event_times
from app.domain.transaction import MAX_AMOUNT_MINOR
from app.errors import InvalidFile, InvalidReason

CURRENCIES = ["EUR", "JPY", "KWD", "CLF"]
MAPPINGS = [
    ColumnMapping(),
    ColumnMapping(amount="major"),
    ColumnMapping(amount="major", rounding="half_even"),
    ColumnMapping(amount_factor=100),
    ColumnMapping(amount_factor=100, currency="EUR", rounding="half_even"),
    ColumnMapping(amount_factor=0.5),
]
TEXTS = st.one_of(
    st.from_regex(r"\A-?[0-9]{1,17}(\.[0-9]{1,6})?\Z"),
    st.from_regex(r"\A[0-9]{1,3}E[+-]?[0-9]{1,3}\Z"),
    st.sampled_from(
        ["", " 1", "1 ", "+1", "1e2", "1,5", "$1", "NaN", "-0", "-0.00", "00012.50", "12.500", ".5", "5."]
    ),
)
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-10, 10**16)
REALS = (
    st.floats()
    | st.integers(0, 10**16).map(lambda n: n / 100)
    | st.integers(0, 10**6).map(lambda n: n / 1000)
)
DECIMALS = st.decimals(min_value=-(10**6), max_value=10**14, places=4) | st.decimals(0, 10**6, places=2)
COLUMNS = [(TEXTS, pa.string()), (WHOLE, pa.int64()), (REALS, pa.float64()), (DECIMALS, pa.decimal128(38, 6))]
ODD_TIMES = [
    "2026-01-01", "2026-02-30", "2026-01-01T24:00:00Z", "2026-01-01T10:00Z", "2026-01-01T10:00:00.123456789Z",
    "2026-01-01 10:00:00+0230", "1969-12-31T23:59:59.9999Z", "2026-W01-1", "20260101", "0", "1767225600", "",
]  # fmt: skip
TIME_TEXTS = st.one_of(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(str),  # noqa: DTZ001  # text without an offset
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat),  # noqa: DTZ001  # the zone follows
    st.sampled_from(ODD_TIMES),
    st.from_regex(r"\A-?[0-9]{1,20}(\.[0-9]{1,3})?\Z"),
)
UNITS = ["s", "ms", "us", "ns", "text"]


def column(array: pa.Array) -> Column:
    return Column(path=Path("f.parquet"), name="x", first_row=1, array=array)


def amount_of(value: Any, currency: str, mapping: ColumnMapping) -> int | InvalidReason:
    try:
        minor = minor_units(value, currency, mapping)
    except Refused as refused:
        return refused.reason
    return minor if 0 <= minor <= MAX_AMOUNT_MINOR else InvalidReason.OUT_OF_RANGE


def outcome(read: Any) -> Any:
    """The values of a column, or the reason of its first refused row."""
    try:
        return read().tolist()
    except InvalidFile as error:
        return error.reason


def expected(values: list[Any]) -> Any:
    return next((value for value in values if isinstance(value, InvalidReason)), values)


@pytest.mark.parametrize("mapping", MAPPINGS, ids=str)
@given(st.data())
def test_amounts_of_a_column_are_those_of_its_values(mapping: ColumnMapping, data: st.DataObject) -> None:
    texts, kind = data.draw(st.sampled_from(COLUMNS))
    rows = data.draw(st.lists(st.tuples(texts, st.sampled_from(CURRENCIES)), min_size=1, max_size=4))
    array = pa.array([value for value, _ in rows], kind)
    currencies = [currency for _, currency in rows]

    found = outcome(lambda: amounts(column(array), encoded(pa.array(currencies)), mapping))

    pairs = zip(array.to_pylist(), currencies, strict=True)
    assert found == expected([amount_of(value, currency, mapping) for value, currency in pairs])


@pytest.mark.parametrize("unit", UNITS)
@given(st.lists(TIME_TEXTS, min_size=1, max_size=3) | st.lists(WHOLE, min_size=1, max_size=3))
@example(["2026-01-01T00:00:00", "2026-01-01T00:00:00Z"])
@example([-1, -999_999, 1])
def test_times_of_a_column_are_those_of_its_values(unit: Any, values: list[Any]) -> None:
    found = outcome(lambda: event_times(column(pa.array(values)), unit))

    assert found == expected([_time(value, unit) for value in values])


def _time(value: Any, unit: Any) -> int | InvalidReason:
    try:
        found = milliseconds(value, unit)
    except Refused as refused:
        return refused.reason
    if abs(found) < 2**62:
        return found
    return InvalidReason.FUTURE_TIME if found > 0 else InvalidReason.ABSURD_TIME


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=3))
def test_a_timestamp_is_cut_to_the_millisecond_before_it(unit: str, values: list[int]) -> None:
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    values = [value % (4 * 10**9 * per_s) - 10**9 * per_s for value in values]

    found = event_times(column(pa.array(values).cast(pa.timestamp(unit))), "ms").tolist()

    assert found == [value * 1000 // per_s for value in values]


@given(st.integers(0, 10**15 - 1), st.sampled_from(CURRENCIES))
def test_a_double_of_15_digits_is_its_decimal_number(minor: int, currency: str) -> None:
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}[currency]
    value = float(Decimal(minor).scaleb(-decimals))
    array, mapping = pa.array([value]), ColumnMapping(amount="major")

    assert amounts(column(array), encoded(pa.array([currency])), mapping).tolist() == [minor]
