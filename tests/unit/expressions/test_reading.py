"""How a text is read: operators bind as in Python, and texts that mean the same give the same tree."""

import pytest

from app.expressions import printer
from app.expressions.checking import checker
from tests.support.expressions.names import NAMES


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("strong_auth or new_payee and strong_auth", "strong_auth or (new_payee and strong_auth)"),
        ("not strong_auth and new_payee", "(not strong_auth) and new_payee"),
        ("not count_1d > 1", "not (count_1d > 1)"),
        ("count_1d + 2 * 3 > 1", "count_1d + (2 * 3) > 1"),
        ("count_1d - 2 - 3 > 1", "(count_1d - 2) - 3 > 1"),
        ("count_1d / 2 * 3 > 1", "(count_1d / 2) * 3 > 1"),
        ("-count_1d * 2 > 1", "(-count_1d) * 2 > 1"),
        ("strong_auth and (new_payee and strong_auth)", "strong_auth and new_payee and strong_auth"),
        ("channel != 'ecom'", "not channel == 'ecom'"),
        ("channel not in ('ecom', 'atm')", "not channel in ('atm', 'ecom', 'atm',)"),
        ("channel in ('ecom')", "channel == 'ecom'"),
        ("'ecom' == channel", 'channel == "ecom"'),
        ("2 * amount > 1 EUR", "amount * 2 > 1.00 EUR"),
        ("device_id in blocked_devices", "in_list(device_id, 'blocked_devices')"),
        ("count_1d in (-0, 1.50)", "count_1d in (1.5, 0)"),
        ("hour(\n  event_time,\n) > 1", "hour(event_time)>1"),
    ],
)
def test_texts_that_mean_the_same_give_the_same_tree(text: str, same: str) -> None:
    assert checker.condition(text, NAMES) == checker.condition(same, NAMES)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("count_1d - (2 - 3) > 1", "count_1d - 2 - 3 > 1"),
        ("not (strong_auth and new_payee)", "not strong_auth and new_payee"),
        ("(strong_auth or new_payee) and strong_auth", "strong_auth or new_payee and strong_auth"),
        ("channel == 'atm'", "country == 'DE'"),
    ],
)
def test_texts_that_mean_something_else_give_another_tree(text: str, other: str) -> None:
    assert checker.condition(text, NAMES) != checker.condition(other, NAMES)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("not channel == 'ecom'", "channel != 'ecom'"),
        ("not (device_id in blocked_devices)", "device_id not in blocked_devices"),
        ("country in ('FR','DE')", "country in ('DE', 'FR')"),
        ("count_1d in (3)", "count_1d in (3,)"),
        ('merchant == "O\'Neill"', r"merchant == 'O\'Neill'"),
        ("amount > 0.10 EUR", "amount > 0.1 EUR"),
        ("amount > 100 EUR", "amount > 100 EUR"),
        ("travel_kmh > 0.000000000000001", "travel_kmh > 0.000000000000001"),
        ("not (strong_auth or new_payee)", "not (strong_auth or new_payee)"),
        ("-(count_1d + 1) > 1", "-(count_1d + 1) > 1"),
        ("(count_1d - 2) - (3 - 1) > 1", "count_1d - 2 - (3 - 1) > 1"),
        ("count_1d / (2 * 3) > 1", "count_1d / (2 * 3) > 1"),
        ("(count_1d + 1) * 2 > 1", "(count_1d + 1) * 2 > 1"),
        ("not not is_missing(payee_id)", "not not is_missing(payee_id)"),
        ("max(amount, balance, 1 EUR) >= amount", "max(amount, balance, 1 EUR) >= amount"),
    ],
)
def test_the_normal_form_of_a_text(text: str, normal: str) -> None:
    assert normal == printer.text(checker.condition(text, NAMES))
