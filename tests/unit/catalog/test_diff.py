"""Differences of two catalogs, and what each new feature needs of the state that the old one keeps."""

import pytest

from app.adapters.catalog_file.reader import BASELINE, content, load_catalog, parsed
from app.catalog.definitions import Catalog
from app.catalog.diff import Difference, differences
from app.catalog.durations import DAY_MS
from app.catalog.kept_state import needs, union
from tests.unit.catalog.cases import feature

BEFORE = load_catalog(BASELINE)
TEXT = content(BASELINE).decode()


def catalog(text: str) -> Catalog:
    found = parsed(text.encode())
    assert found.catalog is not None, found.mistakes
    return found.catalog


def added(keys: str, before: Catalog = BEFORE) -> Difference:
    """The difference of a feature with these keys."""
    text = TEXT + feature("added", keys)
    (found,) = (each for each in differences(before, catalog(text)) if each.name == "added")
    return found


OF_CUSTOMER = 'entity = "customer"\n'
OF_TERMINAL = 'entity = "terminal"\ndelay = "7d"\n'


@pytest.mark.parametrize(
    "keys",
    [
        OF_CUSTOMER + 'function = "count"\nwindow = "10m"',
        OF_CUSTOMER + 'function = "max"\nof = "amount"\nwindow = "30d"',
        OF_CUSTOMER + 'function = "distinct"\nof = "terminal_id"\nwindow = "1d"\ncurrent = "excluded"',
        OF_CUSTOMER + 'function = "sum"\nof = "amount"\nsame = ["terminal_id"]\nwindow = "29d"',
        OF_CUSTOMER + 'function = "frauds"\nwindow = "7d"\ndelay = "7d"',
        OF_TERMINAL + 'function = "frauds"\nwindow = "5d"',
        'entity = "transaction"\nfunction = "value"\nof = "latitude"',
        'derive = "amount / customer_amount_sum_7d"',
    ],
)
def test_what_the_profiles_keep_needs_no_log(keys: str) -> None:
    found = added(keys)

    assert (found.how, found.lacks, found.log_ms) == ("added", (), 0)


@pytest.mark.parametrize(
    ("keys", "lacks", "days"),
    [
        (OF_CUSTOMER + 'function = "count"\nwindow = "31d"', ("transactions of 31d, not of 30d",), 31),
        (OF_CUSTOMER + 'function = "distinct"\nof = "mcc"\nwindow = "1d"', ("the text mcc",), 1),
        (OF_CUSTOMER + 'function = "max"\nof = "latitude"\nwindow = "1d"', ("the number latitude with 6 decimals",), 1),
        (OF_CUSTOMER + 'function = "count"\nwhere = "amount<5.0 EUR"\nwindow = "7d"', ("the filter amount < 5 EUR",), 7),
        (OF_TERMINAL + 'function = "risk"\nwindow = "31d"', ("transactions of 38d, not of 37d",), 38),
        (OF_CUSTOMER + 'function = "frauds"\ndelay = "8d"\nwindow = "30d"', ("transactions of 38d, not of 37d",), 38),
        (
            'entity = "device"\ndelay = "7d"\nfunction = "count"\nwindow = "1d"\n[entities.device]\nkey = "device_id"',
            ("labels and transactions of device_id",),
            8,
        ),
    ],
)  # fmt: skip
def test_what_they_do_not_keep_needs_the_log_of_the_window(
    keys: str, lacks: tuple[str, ...], days: int
) -> None:
    found = added(keys)

    assert (found.lacks, found.log_ms) == (lacks, days * DAY_MS)


def test_a_derived_feature_needs_what_its_features_need() -> None:
    text = (
        TEXT
        + feature("mccs", OF_CUSTOMER + 'function = "distinct"\nof = "mcc"\nwindow = "9d"')
        + feature("derived", 'derive = "mccs / customer_count_7d"')
    )
    found = {each.name: each for each in differences(BEFORE, catalog(text))}

    assert found["derived"].lacks == found["mccs"].lacks == ("the text mcc",)
    assert found["derived"].log_ms == 9 * DAY_MS


def test_the_last_place_may_be_older_than_all_that_is_kept() -> None:
    without = TEXT.replace('function = "travel_kmh"', 'function = "seconds_since_last"')
    (found,) = differences(catalog(without), BEFORE)

    assert (found.how, found.lacks, found.log_ms) == ("changed", ("the last place",), 31 * DAY_MS)


def test_a_catalog_does_not_differ_from_itself() -> None:
    assert differences(BEFORE, catalog("# other comments\n" + TEXT.replace("\n\n", "\n"))) == []


def test_nothing_lacks_of_its_own_state() -> None:
    kept = union(needs(BEFORE).values())
    without_profile = catalog(TEXT.split("# Number and amounts")[0])

    assert {(*owner.key, owner.is_delayed): need.reach_ms // DAY_MS for owner, need in kept.items()} == {
        ("customer_id", False): 30,
        ("customer_id", True): 37,
        ("terminal_id", True): 37,
    }
    assert {each.lacks for each in differences(without_profile, BEFORE)} > {("transactions of customer_id",)}


@pytest.mark.parametrize(
    ("old", "new", "what", "how", "details"),
    [
        ('window = "1h"', 'window = "2h"', "feature customer_count_1h", "changed", ("definition count, 1h -> count, 2h",)),
        ("transactions, this one included, 1h", "payments, 1h", "feature customer_count_1h", "changed",
         ("meaning transactions, this one included, 1h -> payments, 1h",)),
        ('"customer_travel_kmh"', '"speed"', "feature speed", "added",
         ("computes the same as customer_travel_kmh, which is removed",)),
        ('"customer_travel_kmh"', '"speed"', "feature customer_travel_kmh", "removed", ("definition travel_kmh",)),
        ("EUR", "CHF", "catalog baseline", "changed", ("reference_currency EUR -> CHF",)),
        ("[entities.customer]", '[fields.trust]\ntype = "number"\n[entities.customer]', "field trust", "added",
         ("type number", "decimals 0", "required false")),
        ("[entities.customer]", '[entities.shop]\nkey = "mcc"\n[entities.customer]', "entity shop", "added", ("key mcc",)),
    ],
)  # fmt: skip
def test_a_difference_names_what_differs(
    old: str, new: str, what: str, how: str, details: tuple[str, ...]
) -> None:
    found = {
        f"{each.what} {each.name}": each for each in differences(BEFORE, catalog(TEXT.replace(old, new, 1)))
    }

    assert found[what].how == how
    assert set(details) <= set(found[what].details)


def test_a_second_name_is_not_called_a_renaming() -> None:
    found = added(OF_CUSTOMER + 'function = "count"\nwindow = "1h"')

    assert not [detail for detail in found.details if "removed" in detail]


def test_a_changed_field_changes_the_features_that_see_it() -> None:
    field = '[fields.trust]\ntype = "number"\nminimum = 0\nmaximum = 1\ndecimals = 2\n'
    text = TEXT + field + feature("trust_sum", OF_CUSTOMER + 'function = "sum"\nof = "trust"\nwindow = "1d"')
    found = {
        each.name: each
        for each in differences(catalog(text), catalog(text.replace("decimals = 2", "decimals = 3")))
    }

    assert found["trust"].details == ("decimals 2 -> 3",)
    assert found["trust_sum"].lacks == ("the number trust with 3 decimals",)
