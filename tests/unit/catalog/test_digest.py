"""A digest is that of what is computed: order, comments, names of files and wording change nothing, every definition does."""

import random
import re

import pytest

from app.adapters.catalog_file.reader import parsed
from app.catalog.definitions import Catalog
from app.catalog.digest import catalog_digest, feature_digests
from tests.unit.catalog.cases import HEAD

TEXT = (
    HEAD
    + """
[[features]]
name = "ecom_sum"
entity = "customer"
function = "sum"
of = "amount"
where = "entry_mode == 'chip' and amount > 50 EUR"
window = "7d"
same = ["mcc", "country"]
meaning = "some words"
[[features]]
name = "trust_mean"
entity = "customer"
function = "mean"
of = "trust"
window = "1d"
unit = "points"
[[features]]
name = "derived"
derive = "ecom_sum / balance + trust"
[[features]]
name = "twice_derived"
derive = "derived * 2 > 5 or strong_auth"
[[features]]
name = "terminal_risk"
entity = "terminal"
function = "risk"
window = "7d"
delay = "7d"
"""
)
ALL = ("customer_count_1h", "ecom_sum", "trust_mean", "derived", "twice_derived", "terminal_risk")


def catalog(text: str) -> Catalog:
    found = parsed(text.encode())
    assert found.catalog is not None, found.mistakes
    return found.catalog


BEFORE = feature_digests(catalog(TEXT))
PINNED = {
    "customer_count_1h": "c28a9564c471f956",
    "ecom_sum": "076c1b0c8bb06efb",
    "trust_mean": "fc9a6fcaae78f56c",
    "derived": "8e5133f62e8ea00b",
    "twice_derived": "149fa222f4b5d747",
    "terminal_risk": "a4feddae2b835d22",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "test"', 'name = "other"'),
        ('window = "7d"\nsame', 'window = "168h" # a week\nsame'),
        ('same = ["mcc", "country"]', 'same = ["country", "mcc"]'),
        ("entry_mode == 'chip' and amount > 50 EUR", "(entry_mode in ('chip',)) and (amount > 50.00 EUR)"),
        ('"some words"', '"other words"'),
        ('"points"', '"marks"'),
        ('["chip", "keyed"]', '["chip", "keyed", "ecom"]'),
        ("maximum = 1", "maximum = 2"),
        ('{ type = "money" }', '{ type = "money", required = true }'),
        ('function = "sum"', 'function = "sum"\ncurrent = "included"'),
    ],
)
def test_another_wording_computes_the_same(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    assert feature_digests(catalog(TEXT.replace(old, new))) == BEFORE


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('window = "1h"', 'window = "2h"', {"customer_count_1h"}),
        ('function = "count"', 'function = "time_similarity"', {"customer_count_1h"}),
        ('window = "1h"', 'window = "1h"\ncurrent = "excluded"', {"customer_count_1h"}),
        ("> 50 EUR", "> 51 EUR", {"ecom_sum", "derived", "twice_derived"}),
        ('same = ["mcc", "country"]', 'same = ["mcc"]', {"ecom_sum", "derived", "twice_derived"}),
        ('of = "amount"', 'of = "balance"', {"ecom_sum", "derived", "twice_derived"}),
        ("decimals = 2", "decimals = 3", {"trust_mean", "derived", "twice_derived"}),
        ("+ trust", "- trust", {"derived", "twice_derived"}),
        ("* 2 > 5", "* 2 > 6", {"twice_derived"}),
        ('delay = "7d"', 'delay = "6d"', {"terminal_risk"}),
        ('terminal.key = "terminal_id"', 'terminal.key = "device_id"', {"terminal_risk"}),
        ('payee_id = { type = "identifier" }', 'payee_id = { type = "text" }', set()),
        (
            'entry_mode = { type = "category", values = ["chip", "keyed"] }',
            'entry_mode = { type = "text" }',
            {"ecom_sum", "derived", "twice_derived"},
        ),
    ],
)
def test_another_definition_has_another_digest_and_so_has_what_is_derived(
    old: str, new: str, changed: set[str]
) -> None:
    assert TEXT.count(old) == 1
    found = feature_digests(catalog(TEXT.replace(old, new)))

    assert {name for name in ALL if found[name] != BEFORE[name]} == changed


def test_another_currency_is_another_definition_of_all_money() -> None:
    found = feature_digests(catalog(TEXT.replace("EUR", "CHF")))

    assert {name for name in ALL if found[name] != BEFORE[name]} == {"ecom_sum", "derived", "twice_derived"}


def test_a_renamed_feature_computes_the_same() -> None:
    found = feature_digests(catalog(TEXT.replace('"customer_count_1h"', '"renamed"')))

    assert found["renamed"] == BEFORE["customer_count_1h"]


def test_the_order_of_definitions_is_no_part_of_the_digest() -> None:
    head, *features = re.split(r"(?=\[\[features\]\])", TEXT)
    derived = [each for each in features if "derive =" in each]
    others = [each for each in features if "derive =" not in each]
    random.Random(1).shuffle(others)
    shuffled = catalog(head + "".join(each.rstrip() + "\n" for each in (*others, *derived)))

    assert shuffled.features != catalog(TEXT).features
    assert feature_digests(shuffled) == BEFORE
    assert catalog_digest(shuffled) == catalog_digest(catalog(TEXT))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("maximum = 1", "maximum = 2"),
        ('["chip", "keyed"]', '["chip", "keyed", "ecom"]'),
        ("payee.key", "receiver.key"),
        ('"customer_count_1h"', '"renamed"'),
        ('window = "1h"', 'window = "2h"'),
    ],
)
def test_the_digest_of_the_catalog_covers_what_is_validated_and_named(old: str, new: str) -> None:
    assert catalog_digest(catalog(TEXT.replace(old, new))) != catalog_digest(catalog(TEXT))


def test_digests_are_pinned() -> None:
    """Models are bound to them: a change of the normal form needs another FORM."""
    assert BEFORE == PINNED
