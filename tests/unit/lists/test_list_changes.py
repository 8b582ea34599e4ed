"""A change is planned against the lists: only what differs is written, and nothing that a worker could not hold."""

import msgspec
import pytest

from app.adapters.topic_records.list_log import ListLog, decoded, list_record
from app.errors import ListsTooLarge
from app.lists.changes import Action, ListChange
from app.operations.list_changes import plan
from app.settings import ListSettings

ADDED = ListChange(
    list_name="blocked", entries=["?"], action=Action.ADD, reason="test", author="tester", at=1
)
REMOVED = msgspec.structs.replace(ADDED, action=Action.REMOVE)


def log(max_entries: int = 10) -> ListLog:
    return ListLog(ListSettings(max_entries=max_entries))


def test_an_import_that_was_interrupted_is_finished_by_the_same_one() -> None:
    groups = [["d1", "d2"], ["d3"], ["d3", "d4"]]
    first = plan(log(), ADDED, groups)
    assert [decoded(record.value).entries for record in first.records] == [["d1", "d2"], ["d3"], ["d4"]]
    assert (first.changed, first.unchanged, first.is_new_list) == (4, 1, True)

    interrupted = log()
    plan(interrupted, ADDED, groups[:1])
    rest = plan(interrupted, ADDED, groups)

    assert [decoded(record.value).entries for record in rest.records] == [["d3"], ["d4"]]
    assert (rest.changed, rest.unchanged, rest.is_new_list) == (2, 3, False)
    assert plan(interrupted, ADDED, groups).records == []


def test_another_validity_and_a_removal_change_an_entry() -> None:
    lists = log()
    plan(lists, ADDED, [["d1"]])

    assert plan(lists, msgspec.structs.replace(ADDED, valid_to_ms=5), [["d1"]]).changed == 1
    assert plan(lists, REMOVED, [["d1", "d2"]]).changed == 1
    assert plan(lists, REMOVED, [["d1"]]).unchanged == 1


def test_a_change_beyond_the_bound_is_refused_and_names_the_setting() -> None:
    with pytest.raises(ListsTooLarge, match="FRAUDSTREAM_LISTS_MAX_ENTRIES=10 entries"):
        plan(log(), ADDED, [[f"d{number}" for number in range(11)]])


def test_a_record_that_readers_would_refuse_is_not_made() -> None:
    with pytest.raises(msgspec.ValidationError):
        list_record(msgspec.structs.replace(ADDED, entries=[]))
