"""Laws of the holdout: a fixed share, never beyond its bounds, whatever the chunks and the partitions."""

from hypothesis import given
from hypothesis import strategies as st

from app.policy.definitions import Holdout
from app.policy.holdout import DAY_MS, Allowance, Declined, HoldoutState, is_chosen, release

HOLDOUT = Holdout(share=0.5, most_per_day=7, most_amount_per_day=1_000)
declines = st.lists(
    st.builds(
        lambda number, day, amount: (f"t{number}", day * DAY_MS + 5, amount),
        st.integers(0, 10**6),
        st.integers(0, 3),
        st.none() | st.integers(0, 400),
    ),
    max_size=60,
).map(lambda found: [Declined(row, *each) for row, each in enumerate(found)])


@given(declines, st.integers(1, 40))
def test_where_chunks_end_makes_no_difference(declined: list[Declined], size: int) -> None:
    allowance = Allowance.of(HOLDOUT, 0, 1)
    state, whole = release(HoldoutState(), declined, allowance)

    parts, after = [], HoldoutState()
    for first in range(0, len(declined), size):
        after, released = release(after, declined[first : first + size], allowance)
        parts += released
    assert (after, parts) == (state, whole)


@given(declines)
def test_the_bounds_of_a_day_hold_and_only_chosen_ones_are_released(declined: list[Declined]) -> None:
    _, rows = release(HoldoutState(), declined, Allowance.of(HOLDOUT, 0, 1))
    released = [declined[row] for row in rows]

    assert all(is_chosen(each.transaction_id, HOLDOUT.share) for each in released)
    for day in {each.event_time_ms // DAY_MS for each in released}:
        of_day = [each.amount or 0 for each in released if each.event_time_ms // DAY_MS == day]
        assert len(of_day) <= HOLDOUT.most_per_day
        assert sum(of_day) <= HOLDOUT.most_amount_per_day


@given(declines)
def test_without_bounds_exactly_the_chosen_ones_of_the_newest_day_are_released(
    declined: list[Declined],
) -> None:
    endless = Allowance(HOLDOUT.share, 10**9, 10**15)
    newest, expected = -1, []
    for each in declined:
        day = each.event_time_ms // DAY_MS
        newest = max(newest, day)
        if day == newest and each.amount is not None and is_chosen(each.transaction_id, HOLDOUT.share):
            expected.append(each.row)

    assert release(HoldoutState(), declined, endless)[1] == expected


@given(st.integers(1, 64), st.integers(0, 10**6), st.integers(0, 10**9))
def test_the_parts_of_all_partitions_add_up(partitions: int, number: int, amount: int) -> None:
    terms = Holdout(share=0.1, most_per_day=number, most_amount_per_day=amount)
    parts = [Allowance.of(terms, partition, partitions) for partition in range(partitions)]

    assert (sum(part.most for part in parts), sum(part.most_amount for part in parts)) == (number, amount)


@given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_contains_every_smaller_one(text: str, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert is_chosen(text, high) or not is_chosen(text, low)


def test_the_share_is_that_of_many_ids() -> None:
    chosen = sum(is_chosen(f"transaction-{number}", 0.05) for number in range(40_000))

    assert 1_850 < chosen < 2_150
