"""Features of catalogs on small histories, and what is stored."""

from math import isnan, nan
from typing import Any

import numpy as np
import pytest

from app.catalog.definitions import Feature, Function
from app.expressions import tree
from app.expressions.cells import Cell
from app.expressions.names import Kind
from app.expressions.tree import Apply, Column, Number, Operation, Relation
from app.features.window import Bounds
from app.profiles.features import Features
from app.profiles.layout import empty
from app.profiles.plan import Plan, plan
from tests.support.catalogs import profile_format
from tests.support.catalogs.history import DAY_MS, FIELDS, HOUR_MS, START_MS, Event, folded
from tests.support.catalogs.random_catalogs import catalog

MIDNIGHT_MS = START_MS // DAY_MS * DAY_MS


def event(hours: float, **cells: Cell) -> Event:
    given: dict[str, Cell] = {"amount": 100, "channel": "pos", **cells}
    return Event(0, MIDNIGHT_MS + round(hours * HOUR_MS), tuple(given.get(field.name) for field in FIELDS))


def last_row(features: list[Feature], events: list[Event]) -> list[float]:
    found: list[float] = folded(Features(plan(catalog(*features))), events, [b""]).features[-1].tolist()
    return found


def windowed(function: Function, of: str | None = None, hours: int = 24, **more: Any) -> Feature:
    return Feature(
        name=f"{function}_{of}_{hours}",
        entity="customer",
        function=function,
        of=of,
        window_ms=hours * HOUR_MS,
        **more,
    )


def test_values_of_the_current_event() -> None:
    fields = ("amount", "balance", "score", "trusted", "opened_at", "country")
    values = [
        Feature(name=f"value_{name}", entity="transaction", function=Function.VALUE, of=name)
        for name in fields[:-1]
    ]
    clock = [
        Feature(name=function, entity="transaction", function=function)
        for function in (Function.TIME_OF_DAY, Function.WEEKEND)
    ]

    found = last_row(values + clock, [event(13.5, amount=250, score=-1.125, trusted=False, opened_at=7)])

    assert found[:1] + found[2:] == [250.0, -1.125, 0.0, 7.0, 13.5, 0.0]
    assert isnan(found[1])


def test_derived_features_take_fields_and_earlier_features() -> None:
    total = windowed(Function.SUM, "amount")
    money = Column(total.name, Kind.MONEY)
    share = Feature(
        name="share",
        entity="transaction",
        derive=Apply(Operation.RATIO, (Column("amount", Kind.MONEY), money), Kind.NUMBER),
    )
    large = Feature(
        name="large",
        entity="transaction",
        derive=tree.Compare(Relation.GREATER, Column("share", Kind.NUMBER), Number(0.5)),
    )
    of_missing = Feature(name="of_missing", entity="transaction", derive=Column("score", Kind.NUMBER))

    found = last_row([total, share, large, of_missing], [event(1, amount=100), event(2, amount=300)])

    assert found[:3] == [400.0, 0.75, 1.0]
    assert isnan(found[3])


def test_numbers_with_decimals_are_summed_exactly_and_come_back_in_their_unit() -> None:
    """0.1 + 0.2 is 0.30000000000000004 in doubles."""
    features = [windowed(function, "score") for function in (Function.SUM, Function.MIN, Function.MEAN)]

    assert last_row(features, [event(1, score=0.1), event(2, score=0.2)]) == [0.3, 0.1, 0.15]


def test_the_event_is_in_its_window_unless_it_does_not_match_or_is_excluded() -> None:
    where = tree.TextOneOf(Column("channel", Kind.CATEGORY), ("ecom",))
    features = [
        windowed(Function.COUNT),
        windowed(Function.COUNT, hours=25, where=where),
        windowed(Function.COUNT, hours=26, includes_current=False),
        windowed(Function.DISTINCT, "country", hours=27, includes_current=False),
        windowed(Function.DISTINCT, "country", hours=28),
    ]
    events = [event(1, channel="ecom", country="CH"), event(2, country="CH"), event(3, country="FR")]

    assert last_row(features, events) == [3.0, 1.0, 2.0, 1.0, 2.0]


def test_a_missing_own_value_leaves_a_comparison_without_value() -> None:
    features = [
        windowed(Function.IS_NEW, "country"),
        windowed(Function.COUNT, same=("terminal_id",)),
        windowed(Function.MAX_RATIO, "score"),
    ]

    found = last_row(features, [event(1, country="CH", terminal_id="t1", score=1.0), event(2)])

    assert np.isnan(found).all()


def test_a_time_of_day_near_midnight_is_similar_across_it() -> None:
    similar = windowed(Function.TIME_SIMILARITY, hours=48)

    near, far = last_row([similar], [event(23.75), event(24.25)]), last_row([similar], [event(1), event(13)])

    assert near[0] == pytest.approx(0.9914, abs=1e-4)
    assert far[0] == -1.0


@pytest.mark.parametrize("value", [10**15 + 1, -(10**15) - 1])
def test_a_value_beyond_the_bound_is_missing(value: int) -> None:
    features = [windowed(Function.SUM, "balance"), windowed(Function.COUNT)]

    assert last_row(features, [event(1, balance=5), event(2, balance=value)]) == [5.0, 2.0]


def test_sums_at_the_bounds_are_exact() -> None:
    """8192 events of the largest magnitude: sums of 63 bits, and squares of 113."""
    names = (Function.SUM, Function.STD, Function.ZSCORE)
    events = [event(number / 3600, balance=-(10**15) + number % 2) for number in range(8192)]
    features = Features(plan(catalog(*(windowed(name, "balance", hours=48) for name in names))))

    found = folded(features, [*events, event(3, balance=10**15)], [b""], bounds=Bounds(0, 8192)).features[-1]

    # The cap has evicted the first event: 4095 even ones and 4096 odd ones are left, besides the last.
    values = [-(10**15) + number % 2 for number in range(1, 8192)]
    n, s, q = len(values), sum(values), sum(value * value for value in values)
    assert found[0] == float(s + 10**15)
    wide_n, wide_s, wide_q = n + 1, s + 10**15, q + 10**30
    assert found[1] == np.sqrt(float(wide_n * wide_q - wide_s**2)) / wide_n
    assert found[2] == float(n * 10**15 - s) / np.sqrt(float(n * q - s * s))


def test_a_required_field_that_is_missing_is_an_error() -> None:
    with pytest.raises(ValueError, match="required field channel is missing"):
        last_row([windowed(Function.DISTINCT, "channel")], [event(1, channel=None)])


def stored(made: Plan, events: list[Event]) -> tuple[bytes, profile_format.Stored]:
    data = folded(Features(made), events, [b""]).profiles[0]
    return data, profile_format.read(data, made.kept.rows)


def test_a_profile_keeps_values_and_flags_in_the_documented_format() -> None:
    where = tree.TextOneOf(Column("channel", Kind.CATEGORY), ("ecom",))
    made = plan(catalog(windowed(Function.SUM, "balance", where=where)))
    events = [event(1, balance=70_000, channel="ecom"), event(3), event(2, balance=-1)]

    data, found = stored(made, events)

    times, _, flags, balances = found.rows
    assert [MIDNIGHT_MS + hour * HOUR_MS for hour in (1, 2, 3)] == times
    assert flags == [0b111, 0b101, 0b001]
    assert balances == [70_000, -1, 0]
    assert (found.applied, found.applied_offset, found.layout) == (3, 2, made.kept.digest)
    assert profile_format.write(found) == data


def test_the_profile_of_a_new_customer_is_empty() -> None:
    made = plan(catalog(windowed(Function.SUM, "balance")))

    found = profile_format.read(empty(made.kept), made.kept.rows)

    assert [list(row) for row in found.rows] == [[]] * 4
    assert found.applied_offset == -1
    assert isnan(found.place[1]) == isnan(nan)


def test_only_events_that_a_window_can_still_need_are_kept() -> None:
    made = plan(catalog(windowed(Function.SUM, "balance", hours=10)))
    events = [event(0), event(1), event(16.5)]  # 10 hours, and 6 of allowed lateness

    _, found = stored(made, events)

    assert [MIDNIGHT_MS + round(hour * HOUR_MS) for hour in (1, 16.5)] == found.rows[0]
