"""Every alert is in one case or hidden by one suppression, however the topic is cut into batches."""

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.case import Case, expected_loss
from app.cases.contract import MAX_LOSS, CaseAlert, CaseLabel, ChangeKind, Status
from app.cases.grouping import Cases, Placement, case_after
from app.cases.suppression import DAY_MS, MAX_DAYS, Suppression, SuppressionKey, check_duration
from app.domain.label import LabelSource
from app.errors import TransitionRefused
from tests.properties.cases.arrivals import START_MS, alert, alert_lists, suppressions


def fold(
    batches: list[list[CaseAlert]], hiding: list[Suppression]
) -> tuple[dict[str, Case], list[Placement], list[Cases]]:
    """As the worker does: each batch starts from the cases that the ones before left."""
    cases: dict[str, Case] = {}
    placements, done = [], []
    for batch in batches:
        one = Cases(cases.values(), due_ms=100)
        placements += one.alerts_arrive(batch, hiding)
        cases |= {case.case_id: case for case in one.changed}
        done.append(one)
    return cases, placements, done


def cut(alerts: list[CaseAlert], at: list[int]) -> list[list[CaseAlert]]:
    places = sorted({0, len(alerts), *(place % (len(alerts) + 1) for place in at)})
    return [alerts[first:last] for first, last in pairwise(places)]


@given(alert_lists(), suppressions, st.lists(st.integers(0, 20), max_size=4))
def test_cases_do_not_depend_on_how_the_topic_is_cut_into_batches(
    alerts: list[CaseAlert], hiding: list[Suppression], at: list[int]
) -> None:
    whole, placed, _ = fold([alerts], hiding)
    parts, placed_in_parts, _ = fold(cut(alerts, at), hiding)

    def content(case: Case) -> tuple[object, ...]:
        return (
            case.customer_id,
            case.status,
            case.alert_count,
            case.expected_loss,
            case.opened_at,
            case.changed_at,
        )

    assert {name: content(case) for name, case in whole.items()} == {
        name: content(case) for name, case in parts.items()
    }
    assert placed == placed_in_parts


@given(alert_lists(), suppressions)
def test_every_alert_is_in_the_customers_one_open_case_or_hidden(
    alerts: list[CaseAlert], hiding: list[Suppression]
) -> None:
    cases, placements, _ = fold([alerts], hiding)

    assert [alert.alert_id for alert in alerts] == [place.alert.alert_id for place in placements]
    assert all((place.case_id is None) != (place.suppression_id is None) for place in placements)
    assert max(Counter(case.customer_id for case in cases.values()).values(), default=1) == 1
    for name, case in cases.items():
        own = [place.alert for place in placements if place.case_id == name]
        assert {case.customer_id} == {alert.customer_id for alert in own}
        assert len(own) == case.alert_count
        assert min(sum(map(expected_loss, own)), MAX_LOSS) == case.expected_loss


@given(alert_lists(), suppressions)
def test_a_suppression_hides_only_its_key_and_only_until_its_end(
    alerts: list[CaseAlert], hiding: list[Suppression]
) -> None:
    by_id = {one.suppression_id: one for one in hiding}
    for place in fold([alerts], hiding)[1]:
        if place.suppression_id is not None:
            one = by_id[place.suppression_id]
            assert one.starts_at <= place.alert.scored_at < one.ends_at
            assert one.value in {place.alert.customer_id, place.alert.terminal_id}
        else:
            assert not any(one.hides(place.alert) for one in hiding)


@given(alert_lists(), st.lists(st.integers(0, 20), max_size=4))
def test_the_changes_alone_rebuild_the_cases_and_their_alerts(alerts: list[CaseAlert], at: list[int]) -> None:
    cases, placements, done = fold(cut(alerts, at), [])
    changes = [change for one in done for change in one.changes]
    newest = {change.case_id: change for change in changes}

    assert cases == {name: case_after(change) for name, change in newest.items()}
    assert {place.alert.alert_id: place.case_id for place in placements} == {
        alert.alert_id: change.case_id for change in changes for alert in change.alerts
    }
    for name, case in cases.items():
        versions = [change.version for change in changes if change.case_id == name]
        assert [*range(1, case.version + 1)] == versions


def test_a_new_alert_ends_a_snooze_and_leaves_a_claim() -> None:
    first = fold([[alert(0)]], [])[0]["case-t0"]
    for status, after in ((Status.SNOOZED, Status.OPEN), (Status.CLAIMED, Status.CLAIMED)):
        cases = Cases([msgspec.structs.replace(first, status=status)], due_ms=1)
        cases.alerts_arrive([alert(1)], [])

        assert [after] == [case.status for case in cases.changed]


def test_after_a_closed_case_the_next_alert_opens_another() -> None:
    first = fold([[alert(0)]], [])[0]["case-t0"]
    cases = Cases([msgspec.structs.replace(first, status=Status.CLOSED)], due_ms=1)

    cases.alerts_arrive([alert(1)], [])

    assert ["case-t1"] == [case.case_id for case in cases.changed]
    assert [ChangeKind.OPENED] == [change.kind for change in cases.changes]


def test_a_case_restored_without_its_first_alert_takes_it_back() -> None:
    first = fold([[alert(0)]], [])[0]["case-t0"]
    cases = Cases([msgspec.structs.replace(first, status=Status.CLOSED)], due_ms=1)

    (place,) = cases.alerts_arrive([alert(0)], [])

    assert place.case_id == "case-t0"
    assert [ChangeKind.ALERTS_ADDED] == [change.kind for change in cases.changes]


def test_a_label_is_a_change_of_its_case_that_keeps_its_status() -> None:
    first = fold([[alert(0)]], [])[0]["case-t0"]
    cases = Cases([first], due_ms=1)
    label = CaseLabel(
        transaction_id="t0", is_fraud=True, source=LabelSource.CHARGEBACK, reported_at=START_MS + 9
    )

    cases.labels_arrive({"case-t0": [label]})

    (change,) = cases.changes
    assert (ChangeKind.LABELLED, 2, START_MS + 9) == (change.kind, change.version, change.changed_at)
    assert [label] == list(change.labels)
    assert change.status is Status.OPEN


@pytest.mark.parametrize(
    ("currency", "amount_minor", "loss"),
    [("EUR", 10_000, 5_000), ("JPY", 100, 5_000), ("KWD", 100_000, 5_000)],
)
def test_losses_are_hundredths_of_the_major_unit(currency: str, amount_minor: int, loss: int) -> None:
    assert loss == expected_loss(alert(0, score=0.5, amount_minor=amount_minor, currency=currency))


def test_the_longest_loss_fits_its_column() -> None:
    large = [alert(number, score=1.0, amount_minor=10**15, currency="JPY") for number in range(100)]

    assert MAX_LOSS == fold([large], [])[0]["case-t0"].expected_loss


@pytest.mark.parametrize("days", [-1, 0, MAX_DAYS + 0.01])
def test_a_suppression_must_end_and_soon(days: float) -> None:
    with pytest.raises(TransitionRefused, match="at most 90 days"):
        check_duration(START_MS, START_MS + round(days * DAY_MS))


def test_every_key_of_a_suppression_compares_its_field() -> None:
    fields: dict[str, Any] = {"terminal_id": "m9", "device_id": "d9", "card_token": "k9"}
    values = dict(zip(SuppressionKey, ["c9", "m9", "d9", "k9"], strict=True))
    for key, value in values.items():
        one = Suppression(suppression_id=1, key=key, value=value, starts_at=START_MS, ends_at=START_MS + 1)

        assert one.hides(alert(0, "c9", **fields))
        assert not one.hides(alert(0, "c8"))
