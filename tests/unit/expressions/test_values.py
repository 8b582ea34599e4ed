"""Values at the edges: three-valued logic, missing cells, rounding of money, overflow, division, texts, lists, clocks."""

from itertools import product
from math import inf, nan

import pytest

from app.expressions.cells import Cell
from tests.unit.expressions.evaluation import value

LARGEST = 2**63 - 1
AND = {(True, True): True, (True, None): None, (None, True): None, (None, None): None}
OR = {(False, False): False, (False, None): None, (None, False): None, (None, None): None}


@pytest.mark.parametrize(("left", "right"), list(product((True, False, None), repeat=2)))
def test_and_and_or_follow_kleene(left: bool | None, right: bool | None) -> None:
    cells: dict[str, Cell] = {"strong_auth": left, "new_payee": right}

    assert AND.get((left, right), False) is value("strong_auth and new_payee", cells)
    assert OR.get((left, right), True) is value("strong_auth or new_payee", cells)


@pytest.mark.parametrize(("given", "negated"), [(True, False), (False, True), (None, None)])
def test_not_follows_kleene(given: bool | None, negated: bool | None) -> None:
    assert negated is value("not strong_auth", {"strong_auth": given})


@pytest.mark.parametrize(
    "text",
    [
        "amount + balance", "balance - amount", "amount * travel_kmh", "2 / travel_kmh", "-travel_kmh", "abs(travel_kmh)", "min(travel_kmh, 1)",
        "hour(event_time)", "travel_kmh > 1", "travel_kmh != 1", "travel_kmh in (1, 2)", "travel_kmh not in (1, 2)", "merchant == 'a'", "merchant != 'a'",
        "merchant == city", "starts_with(merchant, 'a')", "device_id in blocked_devices", "device_id not in blocked_devices", "not strong_auth",
    ],
)  # fmt: skip
def test_an_operation_on_a_missing_value_is_missing(text: str) -> None:
    assert value(text, {"balance": 1}) is None
    assert value(f"is_missing({text})", {"balance": 1}) is True


@pytest.mark.parametrize("cell", [None, nan, inf, -inf])
def test_a_number_that_is_not_finite_is_missing(cell: float | None) -> None:
    assert value("is_missing(travel_kmh)", {"travel_kmh": cell}) is True
    assert value("travel_kmh > 5", {"travel_kmh": cell}) is None
    assert value("not (travel_kmh > 5)", {"travel_kmh": cell}) is None


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [
        ("travel_kmh + count_1d", {"travel_kmh": 1e308, "count_1d": 1e308}, None),
        ("travel_kmh * count_1d", {"travel_kmh": 1e200, "count_1d": -1e200}, None),
        ("travel_kmh / count_1d", {"travel_kmh": 1.0, "count_1d": 0.0}, None),
        ("travel_kmh / count_1d", {"travel_kmh": 0.0, "count_1d": -0.0}, None),
        ("travel_kmh / count_1d", {"travel_kmh": 1e308, "count_1d": 1e-308}, None),
        ("travel_kmh / count_1d", {"travel_kmh": 1.0, "count_1d": 3.0}, 1 / 3),
        ("min(travel_kmh, count_1d)", {"travel_kmh": 0.0, "count_1d": -0.0}, 0.0),
        ("max(travel_kmh, count_1d)", {"travel_kmh": -0.0, "count_1d": 0.0}, -0.0),
        ("amount + balance", {"amount": LARGEST, "balance": 1}, None),
        ("amount + balance", {"amount": LARGEST - 1, "balance": 1}, LARGEST),
        ("amount + balance", {"amount": -LARGEST, "balance": -1}, None),
        ("amount + balance", {"amount": LARGEST, "balance": LARGEST}, None),
        ("amount + balance", {"amount": -LARGEST, "balance": -LARGEST}, None),
        ("amount - balance", {"amount": -LARGEST, "balance": 1}, None),
        ("amount - balance", {"amount": LARGEST, "balance": -LARGEST}, None),
        ("amount - balance", {"amount": -LARGEST, "balance": LARGEST}, None),
        ("amount - balance", {"amount": LARGEST, "balance": LARGEST}, 0),
        ("amount - balance", {"amount": 2**53 + 1, "balance": 1}, 2**53),
        ("-amount", {"amount": -LARGEST}, LARGEST),
        ("-amount", {"amount": -(2**63)}, None),
        ("is_missing(amount)", {"amount": 2**63}, True),
        ("amount * 0.5", {"amount": 5}, 2),
        ("amount * 0.5", {"amount": 7}, 4),
        ("amount * -0.5", {"amount": 5}, -2),
        ("amount * 1.1", {"amount": 10_000}, 11_000),
        ("amount / 3", {"amount": 100}, 33),
        ("amount * 2", {"amount": 2**62}, None),
        ("amount * -2", {"amount": 2**62}, None),
        ("amount / 0", {"amount": 100}, None),
        ("amount / balance", {"amount": 100, "balance": 0}, None),
        ("amount / balance", {"amount": 100, "balance": 300}, 1 / 3),
        ("amount > 2 * balance", {"amount": 201, "balance": 100}, True),
        ("amount > balance", {"amount": 2**53 + 1, "balance": 2**53}, True),
        ("amount == balance", {"amount": 2**53 + 1, "balance": 2**53}, False),
        ("amount in (1 EUR, -2 EUR)", {"amount": -200}, True),
        ("count_1d in (0, 1)", {"count_1d": -0.0}, True),
        ("count_1d in (1, -2)", {"count_1d": -2.0}, True),
        ("count_1d in (1, -2)", {"count_1d": 2.0}, False),
        ("hour(event_time)", {"event_time": 0}, 1.0),
        ("weekday(event_time)", {"event_time": 0}, 4.0),
        ("weekday(event_time)", {"event_time": 1_769_912_999_999}, 6.0),
        ("weekday(event_time)", {"event_time": 1_769_913_000_000}, 7.0),
        ("hour(event_time)", {"event_time": -1}, None),
        ("hour(event_time)", {"event_time": LARGEST}, None),
    ],
)  # fmt: skip
def test_arithmetic_at_its_edges(text: str, cells: dict[str, Cell], expected: Cell) -> None:
    assert repr(expected) == repr(value(text, cells))


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [
        ("channel in ('ecom', 'pos')", {"channel": "pos"}, True),
        ("channel in ('ecom', 'pos')", {"channel": "atm"}, False),
        ("merchant == city", {"merchant": "é", "city": "é"}, True),
        ("merchant == city", {"merchant": "é", "city": "e\u0301"}, False),
        ("starts_with(merchant, 'ab')", {"merchant": "abc"}, True),
        ("starts_with(merchant, 'ab')", {"merchant": "a"}, False),
        ("merchant == ''", {"merchant": ""}, True),
        ("is_missing(merchant)", {"merchant": ""}, False),
        ("device_id in blocked_devices", {"device_id": "d1"}, True),
        ("device_id in blocked_devices", {"device_id": "d2"}, False),
        ("device_id in trusted_payees", {"device_id": "d1"}, False),
    ],
)
def test_texts_and_lists(text: str, cells: dict[str, Cell], expected: bool) -> None:
    lists = {"blocked_devices": frozenset({"d1"}), "trusted_payees": frozenset({"p1"})}

    assert expected is value(text, cells, lists)
