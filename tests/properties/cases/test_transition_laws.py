"""Whatever analysts do in whatever order, a case keeps its invariants, and a claim belongs to one of them."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases import transitions
from app.cases.case import Case, is_available, is_overdue, priority
from app.cases.contract import Disposition, Status
from app.cases.grouping import Cases
from app.errors import TransitionRefused
from tests.properties.cases.arrivals import START_MS, alert

LEASE_MS = 50
ANALYSTS = ("ann", "bo")
actions = st.lists(
    st.tuples(
        st.sampled_from(["claim", "renew", "release", "snooze", "close", "reopen", "alert"]),
        st.sampled_from(ANALYSTS),
        st.integers(0, 80),
    ),
    max_size=25,
)


def opened() -> Case:
    cases = Cases([], due_ms=100)
    cases.alerts_arrive([alert(0)], [])
    return cases.changed[0]


def act(case: Case, action: str, analyst: str, now_ms: int, number: int) -> Case:
    transition: dict[str, Callable[[], Case]] = {
        "claim": lambda: transitions.claim(case, analyst, now_ms, LEASE_MS),
        "renew": lambda: transitions.renew(case, analyst, now_ms, LEASE_MS),
        "release": lambda: transitions.release(case, analyst, now_ms),
        "snooze": lambda: transitions.snooze(case, analyst, now_ms, now_ms + 30),
        "close": lambda: transitions.close(case, analyst, now_ms, Disposition.GENUINE_TRAVEL),
        "reopen": lambda: transitions.reopen(case, now_ms),
        "alert": lambda: with_alert(case, now_ms, number),
    }
    return transition[action]()


def with_alert(case: Case, now_ms: int, number: int) -> Case:
    """The case after an alert, which opens another one if this one is closed."""
    cases = Cases([case], due_ms=100)
    cases.alerts_arrive([alert(number, at_ms=now_ms)], [])
    return cases.changed[0] if cases.changed[0].case_id == case.case_id else case


def check_fields(case: Case) -> None:
    """As the CHECK constraints of the table."""
    assert (case.status in {Status.CLAIMED, Status.CLOSED}) == (case.assignee is not None)
    assert (case.status is Status.CLAIMED) == (case.lease_until is not None)
    assert (case.status is Status.SNOOZED) == (case.snoozed_until is not None)
    assert (case.status is Status.CLOSED) == (case.disposition is not None) == (case.closed_at is not None)


@given(actions)
def test_every_reachable_case_is_sound_and_every_change_counts(done: list[tuple[str, str, int]]) -> None:
    case, now_ms = opened(), START_MS
    for number, (action, analyst, passed) in enumerate(done, start=1):
        now_ms += passed
        before = case
        try:
            case = act(case, action, analyst, now_ms, number)
        except TransitionRefused:
            continue
        check_fields(case)
        assert case is before or case.version == before.version + 1
        assert case.changed_at >= before.changed_at
        assert (case.opened_at, case.due_at) == (before.opened_at, before.due_at)


@given(actions)
def test_a_claim_changes_hands_only_after_its_lease_or_its_release(done: list[tuple[str, str, int]]) -> None:
    case, now_ms = opened(), START_MS
    for number, (action, analyst, passed) in enumerate(done, start=1):
        now_ms += passed
        held = case.status is Status.CLAIMED and (case.lease_until or 0) > now_ms
        try:
            after = act(case, action, analyst, now_ms, number)
        except TransitionRefused:
            continue
        if held and action != "alert":
            assert analyst == case.assignee
        case = after


@pytest.mark.parametrize("status", Status)
def test_a_closed_case_never_waits_and_any_other_waits_once_its_time_has_come(status: Status) -> None:
    case = msgspec.structs.replace(opened(), status=status, lease_until=START_MS, snoozed_until=START_MS)

    assert is_available(case, START_MS) == (status is not Status.CLOSED)
    assert is_available(case, START_MS - 1) == (status is Status.OPEN)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**12), st.integers(0, 10**12))
def test_priority_grows_with_the_loss_and_with_the_age(loss: int, more: int, age: int, older: int) -> None:
    case = msgspec.structs.replace(opened(), expected_loss=loss)
    richer = msgspec.structs.replace(case, expected_loss=loss + more)
    now_ms = case.opened_at + age

    assert priority(case, now_ms) <= priority(richer, now_ms)
    assert priority(case, now_ms) <= priority(case, now_ms + older)


def test_a_case_is_overdue_if_it_was_closed_too_late() -> None:
    case = transitions.claim(opened(), "ann", START_MS, LEASE_MS)
    in_time = transitions.close(case, "ann", START_MS + 10, Disposition.UNSURE)

    assert not is_overdue(case, case.due_at)
    assert is_overdue(case, case.due_at + 1)
    assert not is_overdue(in_time, case.due_at + 1)


@pytest.mark.parametrize("disposition", Disposition)
def test_every_disposition_says_fraud_genuine_or_unsure(disposition: Disposition) -> None:
    expected = {"fraud": True, "genuine": False, "unsure": None}[disposition.split("_")[0]]

    assert disposition.is_fraud is expected


def test_nobody_snoozes_into_the_past() -> None:
    claimed = transitions.claim(opened(), "ann", START_MS, LEASE_MS)

    with pytest.raises(TransitionRefused, match="future"):
        transitions.snooze(claimed, "ann", START_MS, START_MS)
