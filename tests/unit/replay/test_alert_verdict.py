"""The verdict of ``explain`` on an alert, and which differences deleted history may explain."""

from typing import Any

import msgspec
import pytest

from app.features.catalog import NAMES, Coverage
from app.features.window import DAY_MS, NEVER_MS
from app.replay.customer_history import Span
from app.replay.differences import Difference, differences, feature_differences
from app.replay.verdict import Verdict, extended_coverage, verdict

NOW_MS = 1_760_000_000_000
NEEDED_SINCE_MS = NOW_MS - 32 * DAY_MS
COMPLETE = Span(topic="t", partition=0, begins=0, begins_ms=NOW_MS, ends=100, read_from=0, offset=50)
CUT = msgspec.structs.replace(COMPLETE, begins=10)
CUT_BEFORE_THE_WINDOWS = msgspec.structs.replace(CUT, begins_ms=NEEDED_SINCE_MS)
COUNT = Difference("customer_count_30d", 9.0, 7.0)
PREVIOUS = Difference("customer_seconds_since_last", 4_000_000.0, None)
AMOUNT = Difference("transaction.amount_minor", 5, 6)
SCORE = Difference("score", 0.5, 0.6)


def test_an_alert_without_differences_is_identical_even_if_the_log_is_cut() -> None:
    assert Verdict.IDENTICAL == verdict([], [], COMPLETE, NEEDED_SINCE_MS)
    assert Verdict.IDENTICAL == verdict([], [], CUT, NEEDED_SINCE_MS)


@pytest.mark.parametrize("difference", [COUNT, PREVIOUS, AMOUNT])
def test_a_complete_log_explains_no_difference(difference: Difference) -> None:
    assert Verdict.DIFFERENT == verdict([difference], [], COMPLETE, NEEDED_SINCE_MS)


def test_deleted_records_explain_a_window_only_if_it_reaches_back_to_them() -> None:
    assert Verdict.LOG_CUT == verdict([COUNT], [], CUT, NEEDED_SINCE_MS)
    assert Verdict.DIFFERENT == verdict([COUNT], [], CUT_BEFORE_THE_WINDOWS, NEEDED_SINCE_MS)


def test_the_previous_transaction_may_be_deleted_however_old_it_is() -> None:
    assert Verdict.LOG_CUT == verdict([PREVIOUS], [], CUT_BEFORE_THE_WINDOWS, NEEDED_SINCE_MS)
    found = Difference(PREVIOUS.field, 4_000_000.0, 5.0)
    assert Verdict.DIFFERENT == verdict([found], [], CUT_BEFORE_THE_WINDOWS, NEEDED_SINCE_MS)


@pytest.mark.parametrize("span", [COMPLETE, CUT, CUT_BEFORE_THE_WINDOWS])
def test_deleted_history_does_not_explain_another_score_or_transaction(span: Span) -> None:
    assert Verdict.DIFFERENT == verdict([], [SCORE], span, NEEDED_SINCE_MS)
    assert Verdict.DIFFERENT == verdict([COUNT, AMOUNT], [], span, NEEDED_SINCE_MS)


def test_a_deleted_transaction_is_cut_and_one_beyond_the_end_is_different() -> None:
    deleted = msgspec.structs.replace(CUT, begins=51)
    beyond = msgspec.structs.replace(COMPLETE, ends=50)
    assert Verdict.LOG_CUT == verdict([], [], deleted, NEEDED_SINCE_MS)
    assert Verdict.DIFFERENT == verdict([], [SCORE], deleted, NEEDED_SINCE_MS)
    assert Verdict.DIFFERENT == verdict([], [], beyond, NEEDED_SINCE_MS)


def test_feature_states_extend_the_coverage_over_deleted_history() -> None:
    states: dict[str, Any] = dict.fromkeys(NAMES, "warming_up")
    states |= {"customer_count_1h": "fresh", "customer_count_7d": "fresh", "customer_count_1d": "saturated"}
    alert: Any = msgspec.convert(
        {"event_time": NOW_MS, "snapshot": {name: {"state": state} for name, state in states.items()}},
        type=msgspec.defstruct("Snapshotted", [("event_time", int), ("snapshot", dict[str, _State])]),
    )
    assert Coverage(NOW_MS - 7 * DAY_MS, NOW_MS - DAY_MS + 1) == extended_coverage(alert, None)
    assert Coverage(5, NOW_MS) == extended_coverage(alert, Coverage(5, NOW_MS))
    assert Coverage(NOW_MS - 7 * DAY_MS, NOW_MS - DAY_MS + 1) == extended_coverage(
        alert, Coverage(NOW_MS, NEVER_MS)
    )


class _State(msgspec.Struct):
    state: str


def test_differences_are_listed_per_leaf_and_exact_to_the_bit() -> None:
    recorded = {"score": 0.1 + 0.2, "reasons": [{"code": "a"}, {"code": "b"}], "gone": 1, "same": [1, None]}
    rebuilt = {"score": 0.3, "reasons": [{"code": "a"}, {"code": "c"}], "same": [1, None], "new": "x"}
    assert [
        Difference("x.score", 0.1 + 0.2, 0.3),
        Difference("x.reasons[1].code", "b", "c"),
        Difference("x.gone", 1, None),
        Difference("x.new", None, "x"),
    ] == list(differences(recorded, rebuilt, "x"))
    assert [Difference("l", [1], [1, 2])] == list(differences([1], [1, 2], "l"))
    assert [] == list(differences(recorded, recorded, "x"))


def test_a_missing_feature_equals_only_a_missing_one() -> None:
    names = ["a", "b", "c"]
    assert [Difference("b", None, 0.0)] == feature_differences([None, None, 1.0], [None, 0.0, 1.0], names)
