"""What a profile keeps, and which aggregates the features share."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from app.adapters.catalog_file.reader import BASELINE, BUILT_IN, load_catalog
from app.catalog.definitions import Catalog, Feature, Field, Function
from app.errors import ConfigurationError
from app.expressions import tree
from app.expressions.names import Kind
from app.expressions.tree import Column, Money, Number, Relation
from app.profiles import aggregates
from app.profiles.features import Features
from app.profiles.plan import plan
from tests.support.catalogs.history import DAY_MS, FIELDS, HOUR_MS
from tests.support.catalogs.random_catalogs import catalog
from tests.support.catalogs.today import TODAY

ECOM = tree.TextOneOf(Column("channel", Kind.CATEGORY), ("ecom",))


def above(amount: int) -> tree.Compare:
    return tree.Compare(Relation.GREATER, Column("amount", Kind.MONEY), Money(amount, "EUR"))


def made(function: Function, of: str | None = None, **more: Any) -> Feature:
    return Feature(
        name=f"{function}_{of}",
        entity="customer",
        function=function,
        of=of,
        window_ms=HOUR_MS,
        **more,
    )


def groups(features: Sequence[Feature]) -> list[int]:
    return [int(group) for group in plan(catalog(*features)).program.aggregates["group"]]


def test_the_shipped_features_need_two_aggregates() -> None:
    """All of the amount come from one pass, and the count at the terminal from another."""
    found = plan(TODAY).program.aggregates

    assert sorted(found["group"].tolist()) == [aggregates.COUNT, aggregates.SQUARES]
    assert found["reach"].tolist() == [4, 4]


def test_features_share_an_aggregate_only_with_the_same_filter_field_and_same() -> None:
    assert groups([made(Function.COUNT), made(Function.SUM, "amount"), made(Function.STD, "amount")]) == [
        aggregates.SQUARES
    ]
    apart = [
        made(Function.SUM, "amount"),
        made(Function.SUM, "balance"),
        made(Function.SUM, "amount", where=ECOM),
        made(Function.SUM, "amount", same=("terminal_id",)),
    ]
    assert groups(apart) == [aggregates.SUM] * 4
    assert groups([made(Function.COUNT), made(Function.SUM, "score")]) == [aggregates.COUNT, aggregates.SUM]


def test_the_layout_depends_on_columns_and_filters_but_not_on_windows_and_order() -> None:
    one, other = made(Function.SUM, "amount", where=ECOM), made(Function.DISTINCT, "country")
    digest = plan(catalog(one, other)).kept.digest

    wider = msgspec.structs.replace(one, window_ms=DAY_MS)
    assert plan(catalog(other, wider, made(Function.COUNT))).kept.digest == digest
    other_filter = msgspec.structs.replace(one, where=above(5))
    other_currency = msgspec.structs.replace(catalog(one, other), reference_currency="CHF")
    finer = tuple(
        msgspec.structs.replace(field, required=True) if field.name == "country" else field
        for field in FIELDS
    )
    for changed in (
        catalog(one),
        catalog(one, other, made(Function.IS_NEW, "terminal_id")),
        catalog(other_filter, other),
        other_currency,
        msgspec.structs.replace(catalog(one, other), fields=finer),
    ):
        assert plan(changed).kept.digest != digest


def test_the_layout_of_the_shipped_features_has_not_changed() -> None:
    """Profiles of another digest are refused: raise the format's number with every change on purpose."""
    assert plan(TODAY).kept.digest == 7988247614907039681


def test_the_catalog_of_this_release_has_the_plan_whose_bits_equal_those_of_todays_fold() -> None:
    """tests/properties/profiles/test_parity.py compares the folds."""
    of_file, of_tests = plan(load_catalog(BASELINE)), plan(TODAY)

    assert of_file.names == of_tests.names
    assert of_file.program.aggregates.tolist() == of_tests.program.aggregates.tolist()
    assert of_file.program.formulas.tolist() == of_tests.program.formulas.tolist()


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_catalog_fits_one_profile(name: str) -> None:
    built_in = load_catalog(name)
    of_customers = [feature.name for feature in built_in.features if feature.entity == "customer"]

    found = Features(plan(built_in))

    assert {*of_customers} - {*found.plan.names} == {
        feature.name for feature in built_in.features if feature.entity == "customer" and feature.delay_ms
    }
    assert found.plan.kept.flags <= 62


def test_equal_filters_are_kept_once() -> None:
    same_meaning = tree.TextOneOf(Column("channel", Kind.CATEGORY), ("ecom",))
    found = plan(catalog(made(Function.COUNT, where=ECOM), made(Function.SUM, "amount", where=same_meaning)))

    assert list(found.kept.filters) == ["channel == 'ecom'"]


def test_only_fields_that_windows_take_values_of_are_kept() -> None:
    where = tree.Compare(Relation.LESS, Column("score", Kind.NUMBER), Number(1.0))
    value = Feature(name="value", entity="transaction", function=Function.VALUE, of="balance")
    found = plan(catalog(made(Function.COUNT, where=where, same=("country",)), value))

    assert [column.name for column in found.kept.columns] == ["country"]


def test_features_of_other_entities_are_left_out_with_what_is_derived_of_them() -> None:
    delayed = Feature(
        name="terminal_count", entity="terminal", function=Function.COUNT, window_ms=DAY_MS, delay_ms=DAY_MS
    )
    count = Column("count_None", Kind.NUMBER)
    derived = Feature(name="derived", entity="transaction", derive=count)
    of_terminal = Feature(
        name="of_terminal", entity="transaction", derive=Column("terminal_count", Kind.NUMBER)
    )

    found = plan(catalog(made(Function.COUNT), delayed, derived, of_terminal))

    assert found.names == ("count_None", "derived")


@pytest.mark.parametrize("function", [Function.COUNT, Function.SECONDS_SINCE_FIRST])
def test_a_window_is_required(function: Function) -> None:
    without = Feature(name="endless", entity="customer", function=function)

    with pytest.raises(ConfigurationError, match="endless needs a window"):
        plan(catalog(without))


def test_seconds_since_last_without_a_window_has_no_filter() -> None:
    filtered = Feature(name="endless", entity="customer", function=Function.SECONDS_SINCE_LAST, where=ECOM)

    with pytest.raises(ConfigurationError, match="endless needs a window"):
        plan(catalog(filtered))


def many_filters(count: int) -> Catalog:
    return catalog(*(made(Function.COUNT, where=above(number)) for number in range(count)))


def test_more_flags_than_a_word_has_are_refused_with_the_remedy() -> None:
    assert plan(many_filters(62)).kept.flags == 62
    with pytest.raises(
        ConfigurationError, match=r"need 63 flags .* 63 different filters.* use fewer filters"
    ):
        plan(many_filters(63))
    same = made(Function.COUNT, same=("channel",))
    with pytest.raises(ConfigurationError, match="1 lists of same"):
        plan(catalog(*many_filters(62).features, same))
    optional = made(Function.DISTINCT, "country")
    with pytest.raises(ConfigurationError, match="1 fields that may be missing"):
        plan(catalog(*many_filters(62).features, optional))


@pytest.mark.parametrize(
    ("field", "present"),
    [
        (Field(name="x", kind=Kind.NUMBER, required=True, minimum=0, maximum=1, decimals=4), True),
        (Field(name="x", kind=Kind.NUMBER, required=True, minimum=0), False),
        (Field(name="x", kind=Kind.NUMBER, required=True, minimum=0, maximum=1e9, decimals=6), False),
        (Field(name="x", kind=Kind.MONEY, required=True), False),
        (Field(name="x", kind=Kind.MONEY, required=True, declared=False), True),
        (Field(name="x", kind=Kind.BOOLEAN, required=True), True),
        (Field(name="x", kind=Kind.BOOLEAN), False),
    ],
)
def test_a_field_that_may_be_missing_or_too_large_has_a_flag(field: Field, *, present: bool) -> None:
    found = plan(msgspec.structs.replace(catalog(made(Function.DISTINCT, "x")), fields=(field,)))

    assert (found.kept.columns[0].presence == 0) == present
