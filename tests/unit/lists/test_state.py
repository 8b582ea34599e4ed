"""The state of lists: validity by event time, views of one offset, records without effect."""

import numpy as np
import pytest

from app.expressions.checking import checker
from app.expressions.names import Field, Kind, Names
from app.expressions.program import compiled, differences
from app.expressions.vector.columns import Texts, chunk_of
from app.lists.changes import Action, ListChange
from app.lists.state import MOST_LISTS, ListState, TooManyLists
from app.lists.table import Bounds
from app.lists.validity import Validity
from app.lists.view import SupersededView

NAMES = Names(columns=(Field("device_id", Kind.IDENTIFIER),), currency="EUR", lists=("blocked",))


def change(*entries: str, action: Action = Action.ADD, name: str = "blocked", **times: int) -> ListChange:
    return ListChange(
        list_name=name, entries=list(entries), action=action, reason="test", author="tester", at=1, **times
    )


def state(*log: ListChange) -> ListState:
    found = ListState(Bounds.of(10_000))
    for offset, each in enumerate(log):
        found.apply(offset, each)
    return found


def test_the_last_record_of_an_entry_decides() -> None:
    found = state(
        change("d1", valid_to_ms=10),
        change("d1", valid_from_ms=20),
        change("d2"),
        change("d2", action=Action.REMOVE),
    )

    listed = [time for time in (0, 9, 10, 19, 20, 10**15) if "d1" in found.current().at(time)["blocked"]]

    assert listed == [20, 10**15]
    assert found.validity("blocked", "d2") is None
    assert found.validity("blocked", "d1") == Validity(20, 2**63 - 1)
    assert found.names == ("blocked",)


def test_an_entry_is_removed_and_added_again() -> None:
    found = state(change("d1"), change("d1", action=Action.REMOVE), change("d1", valid_from_ms=5))

    assert [entry for entry, _ in found.entries("blocked")] == ["d1"]
    assert (len(found), found.offset) == (1, 2)


def test_a_view_refuses_to_answer_once_the_state_has_changed() -> None:
    found = state(change("d1"))
    view = found.current()
    assert (view.offset, "d1" in view.at(0)["blocked"]) == (0, True)

    found.pass_over(1)

    with pytest.raises(SupersededView):
        assert "d1" in view.at(0)["blocked"]
    column = chunk_of([("d1",)], [Kind.IDENTIFIER]).column(0, Texts)
    with pytest.raises(SupersededView):
        view.at_each(np.array([0]))["blocked"].rows_listed(column)
    assert found.current().offset == 1


def test_offsets_only_increase() -> None:
    with pytest.raises(ValueError, match="offset 0 is not behind 0"):
        state(change("d1")).pass_over(0)


def test_one_list_too_many_has_no_effect() -> None:
    found = state(*(change("d1", name=f"list_{number}") for number in range(MOST_LISTS)))

    with pytest.raises(TooManyLists):
        found.apply(MOST_LISTS, change("d1", name="one_more"))

    assert (len(found), found.offset) == (MOST_LISTS, MOST_LISTS)
    found.apply(MOST_LISTS + 1, change("d2", name="list_0"))
    assert len(found) == MOST_LISTS + 1


def test_both_back_ends_of_an_expression_look_up_the_same_entries() -> None:
    found = state(change("d1", valid_from_ms=100), change("d2")).current()
    program = compiled(checker.derived("device_id in blocked", NAMES), NAMES)
    rows, times = [("d1",), ("d1",), ("d2",), ("d3",), (None,)], [99, 100, 0, 0, 0]

    each = program.many(chunk_of(rows, [Kind.IDENTIFIER]), found.at_each(np.array(times)))

    one = [program.one(row, found.at(time)) for row, time in zip(rows, times, strict=True)]
    assert one == [False, True, True, False, None]
    assert [list(map(bool, part)) for part in each] == [
        [cell is truth for cell in one] for truth in (True, False)
    ]
    assert [] == differences(program, rows[:4], NAMES, found.at(0))
