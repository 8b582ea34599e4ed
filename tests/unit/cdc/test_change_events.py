"""Debezium change events: the inserted row becomes a transaction with its exact amount; updates and deletes are ignored."""

import contextlib
import json
from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.cdc.transaction_decoder import decode_plain, decoding_of
from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.serde.json_codec import decode_transaction
from app.domain.ignored import Ignored
from app.domain.money import minor_digits
from app.domain.transaction import MAX_AMOUNT_MINOR, Transaction
from app.errors import InvalidEvent, InvalidReason
from app.settings import Settings
from tests.support.wire.transaction import REQUIRED_FIELDS

CANARY = "CANARYVALUE"
ROW = REQUIRED_FIELDS | {"status": "authorised"}
EXPECTED = decode_transaction(json.dumps(ROW).encode())
MAJOR = ColumnMapping(amount="major")


class Record(NamedTuple):
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def envelope(op: str, after: object = None, before: object = None) -> dict[str, object]:
    source = {"connector": "postgresql", "lsn": 24_023_128, "table": "transactions", "snapshot": "false"}
    return {"before": before, "after": after, "source": source, "op": op, "ts_ms": 1_760_000_000_100}


def wrapped(payload: object) -> dict[str, object]:
    return {"schema": {"type": "struct", "fields": [{"field": "op", "type": "string"}]}, "payload": payload}


def flat(op: str, **columns: object) -> dict[str, object]:
    return ROW | columns | {"__op": op, "__deleted": "true" if op == "d" else "false"}


def read(value: object, mapping: ColumnMapping = CONTRACT, **options: Any) -> Transaction | Ignored:
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return ChangeEvents(mapping, **options).decode(Record(data))


def refused(value: object, mapping: ColumnMapping = CONTRACT) -> InvalidReason:
    with pytest.raises(InvalidEvent) as caught:
        read(value, mapping)
    assert CANARY not in str(caught.value)
    return caught.value.reason


def amount(value: object, mapping: ColumnMapping = MAJOR, currency: str = "EUR") -> int:
    found = read(envelope("c", ROW | {"amount_minor": value, "currency": currency}), mapping)
    assert isinstance(found, Transaction)
    return found.amount_minor


def time_of(value: object, mapping: ColumnMapping = CONTRACT) -> int:
    found = read(envelope("c", ROW | {"event_time": value}), mapping)
    assert isinstance(found, Transaction)
    return found.event_time


@pytest.mark.parametrize("op", ["c", "r"])
@pytest.mark.parametrize("shape", [lambda op: envelope(op, ROW), flat], ids=["envelope", "flattened"])
@pytest.mark.parametrize("wrap", [dict, wrapped], ids=["bare", "with its schema"])
def test_a_row_inserted_or_read_by_a_snapshot_is_a_transaction(op: str, shape: Any, wrap: Any) -> None:
    assert EXPECTED == read(wrap(shape(op)))


@pytest.mark.parametrize(
    ("op", "why"),
    [
        ("u", Ignored.UPDATE),
        ("d", Ignored.DELETE),
        ("t", Ignored.OTHER),
        ("m", Ignored.OTHER),
    ],
)
def test_later_changes_of_a_row_are_ignored(op: str, why: Ignored) -> None:
    assert [why] * 4 == [
        read(envelope(op, ROW, ROW)),
        read(wrapped(envelope(op, ROW, ROW))),
        read(flat(op)),
        read(wrapped(flat(op))),
    ]


def test_a_record_without_a_value_is_a_tombstone() -> None:
    assert [Ignored.TOMBSTONE] * 2 == [read(None), read(wrapped(None))]


def test_an_update_is_scored_if_the_setting_says_so() -> None:
    assert EXPECTED == read(envelope("u", ROW, ROW), score_updates=True)
    assert EXPECTED == read(flat("u"), score_updates=True)


def test_a_row_moved_to_another_customer_is_an_update() -> None:
    """Debezium writes a delete under the old key and a create under the new one, marked by a header."""
    moved = Record(json.dumps(envelope("c", ROW)).encode(), (("__debezium.oldkey", b"c0"),))

    assert Ignored.UPDATE == ChangeEvents(CONTRACT).decode(moved)
    assert EXPECTED == ChangeEvents(CONTRACT, score_updates=True).decode(moved)


def test_only_a_deleted_row_may_lack_the_operation() -> None:
    row = {name: value for name, value in flat("c").items() if name != "__op"}

    assert Ignored.DELETE == read(row | {"__deleted": "true"})
    assert InvalidReason.MISSING_FIELD == refused(row)


def test_plain_transactions_and_change_events_are_both_read() -> None:
    assert EXPECTED == read(ROW)
    assert EXPECTED == read(ROW | {"note": 'says "__op" and means nothing'})
    assert InvalidReason.MISSING_FIELD == refused({"transaction_id": "t1"})
    assert InvalidReason.NOT_JSON == refused(b"{")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (envelope("c", None), InvalidReason.MISSING_FIELD),
        (envelope("x", ROW), InvalidReason.OUT_OF_RANGE),
        (envelope(CANARY, ROW), InvalidReason.OUT_OF_RANGE),
        (envelope("c", {"transaction_id": "t1"}), InvalidReason.MISSING_FIELD),
        (envelope("c", ROW | {"currency": CANARY}), InvalidReason.OUT_OF_RANGE),
        (envelope("c", ROW | {"amount_minor": CANARY}), InvalidReason.WRONG_TYPE),
        (envelope("c", ROW | {"amount_minor": None}), InvalidReason.MISSING_FIELD),
        (envelope("c", ROW | {"amount_minor": True}), InvalidReason.WRONG_TYPE),
        (envelope("c", ROW | {"amount_minor": [1]}), InvalidReason.WRONG_TYPE),
        (envelope("c", ROW | {"amount_minor": -1}), InvalidReason.OUT_OF_RANGE),
        (envelope("c", ROW | {"event_time": CANARY}), InvalidReason.WRONG_TYPE),
        (envelope("c", ROW | {"event_time": None}), InvalidReason.MISSING_FIELD),
        (envelope("c", ROW | {"event_time": "2026-01-01T00:00:00"}), InvalidReason.WRONG_TYPE),
        (envelope("c", ROW | {"customer_id": [CANARY]}), InvalidReason.WRONG_TYPE),
        ({"op": ["c"], "after": ROW}, InvalidReason.OUT_OF_RANGE),
        (wrapped(["c"]), InvalidReason.MISSING_FIELD),
    ],
)
def test_an_invalid_change_event_is_reported_with_its_reason(value: object, reason: InvalidReason) -> None:
    assert reason == refused(value)


@pytest.mark.parametrize(
    "value", ["12.50", "12.5", "12.500", "1.25E+1", "125e-1", 12.5, {"scale": 2, "value": "BOI="}]
)
def test_a_numeric_column_becomes_exact_minor_units(value: object) -> None:
    assert amount(value) == 1_250


def test_bytes_of_a_numeric_column_need_its_scale() -> None:
    assert amount("BOI=", ColumnMapping(amount="major", numeric_scale=2)) == 1_250
    assert amount("AA==", ColumnMapping(amount="major", numeric_scale=2)) == 0
    with pytest.raises(InvalidEvent, match="decimal number"):
        amount("BOI=")
    with pytest.raises(InvalidEvent, match="bytes of a number"):
        amount("", ColumnMapping(amount="major", numeric_scale=2))


def test_the_currency_determines_the_decimals_of_an_amount() -> None:
    assert [1_250, 12, 12_500] == [
        amount("12.50", currency="EUR"),
        amount("12", currency="JPY"),
        amount("12.500", currency="KWD"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "12.505",
        12.505,
        "NaN",
        "Infinity",
        "1_250",
        " 12",
        "\u0661\u0662",
        "1E+9999",
        "1E-9999",
        "0" * 70 + "5",
        0.1 + 0.2,
        "",
    ],
)
def test_an_ambiguous_amount_is_refused(value: object) -> None:
    with pytest.raises(InvalidEvent):
        amount(value)


def test_a_double_with_more_than_15_digits_is_refused() -> None:
    assert amount(1234567890123.45) == 123_456_789_012_345
    with pytest.raises(InvalidEvent, match="15 digits"):
        amount(12345678901234.56)


def test_a_number_with_a_huge_exponent_is_refused() -> None:
    value = json.dumps(envelope("c", ROW | {"amount_minor": 1.5})).replace("1.5", "1e99999999999999999999")

    with pytest.raises(InvalidEvent):
        read(value.encode(), MAJOR)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_760_000_000, "s"),
        (1_760_000_000_000, "ms"),
        (1_760_000_000_000_999, "us"),
        (1_760_000_000_000_999_999, "ns"),
        ("2025-10-09T08:53:20Z", "ms"),
        ("2025-10-09T08:53:20.000999Z", "us"),
        ("2025-10-09T10:53:20+02:00", "ms"),
    ],
)
def test_every_time_type_becomes_milliseconds(value: object, unit: Any) -> None:
    assert time_of(value, ColumnMapping(time_unit=unit)) == 1_760_000_000_000


def test_text_without_an_offset_is_utc_if_the_mapping_says_text() -> None:
    assert time_of("2025-10-09 08:53:20", ColumnMapping(time_unit="text")) == 1_760_000_000_000
    assert InvalidReason.WRONG_TYPE == refused(envelope("c", ROW), ColumnMapping(time_unit="text"))


@pytest.mark.parametrize(
    ("value", "factor", "minor"),
    [("12.50", 100, 1_250), (12.5, 10.0, 125), (7, 2_000, 14_000), ("8", 0.125, 1)],
)
def test_a_factor_is_multiplied_exactly(value: object, factor: float, minor: int) -> None:
    assert minor == amount(value, ColumnMapping(amount_factor=factor))


def test_a_fractional_product_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="more decimals than its currency"):
        amount("12.505", ColumnMapping(amount_factor=100))


def test_a_mapping_renames_columns_and_identifiers_may_be_numbers() -> None:
    mapping = ColumnMapping(
        columns={"transaction_id": "id", "customer_id": "customer", "amount_minor": "amount"},
        amount="major",
        currency="EUR",
    )
    row = {"id": 7, "customer": 9, "terminal_id": "m1", "event_time": 1_760_000_000_000, "amount": "1.00"}
    found = read(envelope("c", row), mapping)

    assert isinstance(found, Transaction)
    assert ("7", "9", 100, "EUR") == (
        found.transaction_id,
        found.customer_id,
        found.amount_minor,
        found.currency,
    )


def test_coordinates_may_be_doubles() -> None:
    found = read(envelope("c", ROW | {"latitude": 48.137, "longitude": 11.5}))

    assert isinstance(found, Transaction)
    assert (48.137, 11.5) == (found.latitude, found.longitude)


AMOUNTS = st.integers(0, MAX_AMOUNT_MINOR)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


def _numeric(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-minor_digits(currency))


@given(AMOUNTS, CURRENCIES, st.integers(0, 6))
def test_every_decimal_mode_of_debezium_gives_the_same_amount(
    minor: int, currency: str, more_digits: int
) -> None:
    """``more_digits``: decimals of the column beyond those of the currency."""
    scale = minor_digits(currency) + more_digits
    unscaled = minor * 10**more_digits
    data = b64encode(unscaled.to_bytes(unscaled.bit_length() // 8 + 1, "big", signed=True)).decode()
    text = f"{_numeric(minor, currency):f}" + ("0" * more_digits if minor_digits(currency) else "")

    assert minor == amount(text, currency=currency)
    assert minor == amount({"scale": scale, "value": data}, currency=currency)
    assert minor == amount(data, ColumnMapping(amount="major", numeric_scale=scale), currency)


@given(AMOUNTS.filter(lambda minor: minor < 10**15), CURRENCIES)
def test_a_double_is_read_as_its_shortest_decimal_text(minor: int, currency: str) -> None:
    assert minor == amount(float(_numeric(minor, currency)), currency=currency)


@given(st.integers(1, MAX_AMOUNT_MINOR), st.integers(1, 9))
def test_a_fraction_of_a_minor_unit_is_refused(minor: int, fraction: int) -> None:
    with pytest.raises(InvalidEvent, match="more decimals than its currency"):
        amount(f"{_numeric(minor, 'EUR'):f}{fraction}")


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # the zone follows
def test_a_time_is_the_same_for_every_column_type(instant: datetime) -> None:
    micros = round((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)

    assert micros // 1_000 == time_of(micros, ColumnMapping(time_unit="us"))
    assert micros // 1_000 == time_of(instant.isoformat())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a9é\0", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["op", "after", "before", "payload", "schema", "__op", "__deleted", *ROW])


@given(st.dictionaries(NAMES, JSON | st.just("c") | st.just(ROW)))
def test_any_json_is_a_transaction_ignored_or_invalid(value: dict[str, object]) -> None:
    with contextlib.suppress(InvalidEvent):
        assert isinstance(read(value), Transaction | Ignored)


@given(st.binary(max_size=100).map(lambda data: b'{"__op":' + data) | st.binary(max_size=100))
def test_any_bytes_are_a_transaction_ignored_or_invalid(value: bytes) -> None:
    with contextlib.suppress(InvalidEvent):
        assert isinstance(read(value), Transaction | Ignored)


@given(st.dictionaries(st.sampled_from([*Transaction.__struct_fields__, "after"]), JSON))
def test_a_plain_record_is_read_as_without_change_events(changes: dict[str, object]) -> None:
    value = json.dumps(ROW | changes).encode()

    def outcome(decode: Any) -> object:
        try:
            return decode(Record(value))
        except InvalidEvent as error:
            return error.reason

    assert outcome(decode_plain) == outcome(ChangeEvents(CONTRACT).decode)


def test_without_a_mapping_change_events_are_dead_letters() -> None:
    decode, changes, event = decoding_of(Settings())

    assert (decode_plain, None, Transaction) == (decode, changes, event)
    with pytest.raises(InvalidEvent):
        decode(Record(json.dumps(envelope("c", ROW)).encode()))
