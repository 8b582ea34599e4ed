"""Raw values of a transaction's fields, as producers and files have them."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from app.adapters.column_mapping import CONTRACT, ColumnMapping

NOW_MS = 1_767_225_600_000
"""2026-01-01: the time with which event times are compared."""
ROW: dict[str, Any] = {
    "transaction_id": "t1", "customer_id": "c1", "terminal_id": "m1", "event_time": NOW_MS, "amount_minor": 1250,
    "currency": "EUR",
}  # fmt: skip


class Missing(Enum):
    """The field is not there at all; None is a null."""

    MISSING = "missing"


class Number(str):
    """A JSON number, as it is written."""

    __slots__ = ()


class Symbol(str):
    """An enum's symbol in Avro; text elsewhere."""

    __slots__ = ()


class Twice(NamedTuple):
    """A field that a row has two times."""

    first: str
    second: str


class Case(NamedTuple):
    """A row of the table."""

    name: str
    changes: dict[str, Any]
    mapping: ColumnMapping = CONTRACT
    differs: str = ""
    """Why the doors with a mapping and those without one differ, where they must."""


TEXT = "JSON, Avro and Protobuf have types, and a number is no text; CSV and database columns write numbers as text"
TWICE = (
    "of a name that a JSON object has twice the last counts; a file whose header has a name twice is refused"
)
SECONDS, MICROS, NANOS, ISO = (ColumnMapping(time_unit=unit) for unit in ("s", "us", "ns", "text"))
KEPT = ColumnMapping(padding="keep")
MAJOR = ColumnMapping(amount="major")
ROUNDED = ColumnMapping(amount="major", rounding="half_even")
M = Missing.MISSING


def _amounts() -> list[Case]:
    minor = [
        1250,
        0,
        -1,
        10**15,
        10**15 + 1,
        10**20,
        Number("-0"),
        Number("-0.0"),
        Number("1250.0"),
        Number("12.50"),
    ]
    minor += [Number("125E1"), Number("1e400"), True, None, M]
    texts = ["1250", "-0", "12.50", "1,250", " 1250", "", "NaN"]
    cases = [Case(f"minor, {_shown(value)}", {"amount_minor": value}) for value in minor]
    cases += [Case(f"minor, text {value!r}", {"amount_minor": value}, differs=TEXT) for value in texts]
    for currency, values in {
        "JPY": ["1500", "1500.0", "1500.5"], "EUR": ["12.50", "12.5", "12.500", "12.505", "-12.50", "-0.00", "1E+2", "1e2", "0.1"],
        "KWD": ["12.345", "12.3456"], "CLF": ["1.2345", "1.23456"],
    }.items():  # fmt: skip
        for value in values:
            changes = {"amount_minor": value, "currency": currency}
            cases.append(Case(f"major, {currency}, text {value!r}", changes, MAJOR))
            if value not in ("12.500", "1500.0"):
                number = {"amount_minor": Number(value), "currency": currency}
                cases.append(Case(f"major, {currency}, number {value}", number, MAJOR))
    odd: list[Any] = [
        12,
        Number("12345678901234.56"),
        Number("0.30000000000000004"),
        "12,50",
        "$12.50",
        True,
        None,
        M,
    ]
    cases += [Case(f"major, EUR, {_shown(value)}", {"amount_minor": value}, MAJOR) for value in odd]
    cases.append(Case("major, EUR, decimal 12.50", {"amount_minor": Decimal("12.50")}, MAJOR))
    cases.append(Case("major, EUR, rounded, number 0.30000000000000004", {"amount_minor": odd[2]}, ROUNDED))
    return [*cases, Case("major, EUR, rounded, text '12.505'", {"amount_minor": "12.505"}, ROUNDED)]


def _times() -> list[Case]:
    ms = NOW_MS
    contract: list[Any] = [
        ms,
        ms // 1000,
        ms * 1000,
        ms * 10**6,
        0,
        -1,
        2**63,
        Number(f"{ms}.0"),
        True,
        None,
        M,
    ]
    cases = [Case(f"ms, {_shown(value)}", {"event_time": value}) for value in contract]
    texts = ["2026-01-01T00:00:00Z", "2026-01-01T02:00:00.123456789+02:00", "2026-01-01T00:00:00", str(ms)]
    cases += [Case(f"ms, text {value!r}", {"event_time": value}, differs=TEXT) for value in texts]
    of_units: list[tuple[str, ColumnMapping, list[Any]]] = [
        ("s", SECONDS, [ms // 1000, Number(f"{ms // 1000}.5"), str(ms // 1000), f"{ms // 1000}.25", ms]),
        ("us", MICROS, [ms * 1000 + 999, str(ms * 1000), ms]),
        ("ns", NANOS, [ms * 10**6 + 999_999, str(ms * 10**6), Number(f"{ms}.5")]),
        (
            "text",
            ISO,
            ["2026-01-01", "2026-01-01 00:00", "2026-01-01T00:00:00.9999", "2025-12-31T23:00:00-0100", ms],
        ),
        ("text", ISO, ["2026-02-30", "2026-01-01T24:00:00", "20260101", "01/02/2026", "", None, M]),
    ]
    for unit, mapping, values in of_units:
        cases += [Case(f"{unit}, {_shown(value)}", {"event_time": value}, mapping) for value in values]
    return [*cases, Case("timestamp with a zone", {"event_time": datetime(2026, 1, 1, tzinfo=UTC)}, ISO)]


def _ids() -> list[Case]:
    texts = [
        "007",
        " c1",
        "a\tb\x01",
        "a\nb\r\nc",
        "caf\u00e9 \U0001f4b3",
        "x" * 64,
        "x" * 65,
        "\U0001f4b3" * 64,
        "\U0001f4b3" * 65,
        "",
        "NA",
        "null",
    ]
    texts += ["c\u00e9", "ce\u0301", "a,b", 'a"b', "1e5", "1.0"]
    cases = [Case(f"id {_shown(value)}", {"terminal_id": value}) for value in texts]
    padded = {"terminal_id": "c1   "}
    cases += [Case("id 'c1   '", padded, differs=PADDED)]
    cases += [
        Case("id 'c1   ', padding kept", padded, KEPT),
        Case("id of 3 spaces", {"terminal_id": "   "}, differs=PADDED),
    ]
    numbers: list[Any] = [7, 2**63, Number("7.0"), True]
    cases += [Case(f"id, number {_shown(value)}", {"terminal_id": value}, differs=IDS) for value in numbers]
    cases += [Case(f"id, {_shown(value)}", {"terminal_id": value}) for value in (None, M, {"a": 1})]
    return [
        *cases,
        Case("card number", {"card_token": "4111111111111111"}),
        Case("optional id, null", {"device_id": None}),
    ]


PADDED = "columns of CHAR(n) are filled up with spaces, which files and tables remove; records have the text of the contract"
IDS = "ids are text in the contract; files and database columns also write them as integers"


def _others() -> list[Case]:
    changes: list[dict[str, Any]] = [
        {"currency": "eur"}, {"currency": "EURO"}, {"currency": None}, {"currency": M}, {"currency": Symbol("EUR")},
        {"channel": None}, {"channel": ""}, {"mcc": "0742"}, {"mcc": "742"},
        {"mcc": None}, {"country": "DE"}, {"country": "de"}, {"country": "NA"},
        {"latitude": Number("48.1"), "longitude": Number("11.5")}, {"latitude": Number("90.1"), "longitude": 0},
        {"latitude": Number("48.1"), "longitude": None}, {"latitude": Number("48.1")},
    ]  # fmt: skip
    cases = [
        Case(", ".join(f"{field} {_shown(value)}" for field, value in each.items()), each) for each in changes
    ]
    texts = {"latitude": "48.1", "longitude": "11.5"}
    cases.append(Case("currency EUR, then USD", {"currency": Twice("EUR", "USD")}, differs=TWICE))
    return [*cases, Case("latitude and longitude as text", texts, differs=TEXT)]


def _shown(value: Any) -> str:
    if isinstance(value, Twice):
        return f"{value.first}, then {value.second}"
    if isinstance(value, Symbol):
        return f"enum {value}"
    if isinstance(value, str) and not isinstance(value, Number):
        return (
            ascii(value)
            if len(value) < 20
            else f"{value[0]!a} times {len(value)}"
            if len(set(value)) == 1
            else ascii(value)
        )
    return (
        {None: "null", Missing.MISSING: "missing", True: "true"}.get(value, str(value))
        if not isinstance(value, dict)
        else "nested"
    )


CASES = {"Amounts": _amounts(), "Times": _times(), "Ids": _ids(), "Other fields": _others()}
