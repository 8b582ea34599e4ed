"""Laws of lists: at every offset the state equals a dictionary that the same records were applied to, and memory holds no removed entry."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.expressions.vector.columns import texts as column
from app.lists.changes import Action, ListChange
from app.lists.state import ListState
from app.lists.table import Bounds, EntryTable, ListsFull
from app.lists.texts import EncodedTexts

NAMES = ("blocked", "trusted")
WORDS = ("a", "aa", "b", "é", "ée", "customer-1", "x" * 256, "日本")
TIMES = (0, 1, 5, 9, 10)
ROOMY = Bounds(1_000, 100_000)

moments = st.sampled_from((None, *TIMES))
entries = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)
fold_of = dict[tuple[str, str], tuple[float, float]]


@st.composite
def changes(draw: Any) -> ListChange:
    action, since, until = draw(st.sampled_from(Action)), draw(moments), draw(moments)
    if action is Action.REMOVE:
        since = until = None
    elif since is not None and until is not None and since >= until:
        since = None if until else since
        until = until or None
    if until == 0:
        until = None
    return ListChange(
        list_name=draw(st.sampled_from(NAMES)),
        entries=draw(entries),
        action=action,
        valid_from_ms=since,
        valid_to_ms=until,
        reason="law",
        author="tester",
        at=0,
    )


def applied(fold: fold_of, change: ListChange) -> None:
    """The independent fold: a dictionary from list and entry to the validity."""
    for entry in change.entries:
        if change.action is Action.REMOVE:
            fold.pop((change.list_name, entry), None)
        else:
            since = float("-inf") if change.valid_from_ms is None else change.valid_from_ms
            until = float("inf") if change.valid_to_ms is None else change.valid_to_ms
            fold[change.list_name, entry] = since, until


def folded(log: list[ListChange]) -> fold_of:
    fold: fold_of = {}
    for change in log:
        applied(fold, change)
    return fold


def listed(fold: fold_of, name: str, text: str | None, time: int) -> bool:
    since, until = fold.get((name, str(text)), (0, 0))
    return text is not None and since <= time < until


def state_of(log: list[ListChange], bounds: Bounds = ROOMY) -> ListState:
    state = ListState(bounds)
    for offset, change in enumerate(log):
        state.apply(offset, change)
    return state


@settings(max_examples=150, deadline=None)
@given(st.lists(changes(), max_size=12), st.data())
def test_at_every_offset_the_state_is_the_fold_of_the_log(log: list[ListChange], data: Any) -> None:
    state, fold = ListState(ROOMY), fold_of()
    probes = st.lists(
        st.tuples(st.sampled_from((None, *WORDS, "other", "\udc80")), st.sampled_from(TIMES)), max_size=6
    )
    for offset, change in enumerate(log):
        state.apply(offset, change)
        applied(fold, change)
        view, rows = state.current(), data.draw(probes)
        each = view.at_each(np.array([time for _, time in rows], np.int64))
        for name in (*NAMES, "never_written"):
            expected = [listed(fold, name, text, time) for text, time in rows]
            assert expected == each[name].rows_listed(column(text for text, _ in rows)).tolist()
            assert expected == [text in view.at(time)[name] for text, time in rows]
    assert len(fold) == len(state)
    assert sorted(fold) == sorted((name, entry) for name in NAMES for entry, _ in state.entries(name))


@settings(deadline=None)
@given(st.lists(changes(), max_size=30), st.integers(1, 6), st.integers(1, 300))
def test_the_bounds_depend_on_what_the_lists_hold_and_not_on_how_it_came_there(
    log: list[ListChange], most: int, most_bytes: int
) -> None:
    bounds, fold = Bounds(most, most_bytes), fold_of()
    state = ListState(bounds)
    for offset, change in enumerate(log):
        applied(fold, change)
        held = len(fold), sum(len(entry.encode()) for _, entry in fold)
        if held[0] > most or held[1] > most_bytes:
            with pytest.raises(ListsFull):
                state.apply(offset, change)
            return
        state.apply(offset, change)


def test_entries_that_were_removed_take_no_memory_in_the_end() -> None:
    table, removed = EntryTable(Bounds(2_000, 100_000)), 0
    table.put(1, EncodedTexts.of(["kept"]), 0, 1)
    for number in range(100):
        some = EncodedTexts.of([f"{number}-{index}" for index in range(1_000)])
        table.put(0, some, 0, 1)
        table.put(0, some, 0, 0)
        removed += 1_000
    table.put(1, EncodedTexts.of(["last"]), 0, 1)

    assert removed == 100_000
    assert len(table) == 2
    assert [table.text(row) for row in table.rows_of(1)] == ["kept", "last"]
    assert table.size_bytes < 250_000


def test_entries_with_the_same_hash_are_different_entries() -> None:
    table, words = EntryTable(ROOMY), [f"customer-{number}" for number in range(600)]
    all_equal = np.zeros(len(words), np.int64)

    table.put(0, EncodedTexts.of(words)._replace(hashes=all_equal), 0, 1)

    assert len(table) == len(words)
    others = EncodedTexts.of([f"Customer-{number}" for number in range(600)])._replace(hashes=all_equal)
    assert table.rows(0, others).tolist() == [-1] * len(words)
    assert table.rows(0, EncodedTexts.of(words)._replace(hashes=all_equal)).tolist() == list(range(600))
