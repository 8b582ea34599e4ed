"""The demo's reconciliation succeeds exactly when no record is missing, and names the missing ones."""

import msgspec
import pytest

from app.demo.id_set import IdSet
from app.demo.reconciliation import ReceivedDecision, Reconciliation
from app.demo.snapshot import Snapshot
from app.domain.decision import Alert, ModelReference, SourceOffset, Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import Transaction

SENT = 20
SUSPICIOUS = (3, 11)
MALFORMED = 2


def alert(reconciliation: Reconciliation, number: int) -> Alert:
    name = reconciliation.transaction_id(number)
    return Alert(
        decision_id=f"decision-{name}",
        transaction_id=name,
        customer_id="c1",
        event_time=0,
        scored_at=0,
        score=0.9,
        outcome=Outcome.REVIEW,
        thresholds=Thresholds(review=0.5, decline=0.95),
        model=ModelReference(name="m", version="1", digest="d"),
        catalog="",
        features=[],
        source=SourceOffset(topic="t", partition=0, offset=number),
        transaction=Transaction(
            transaction_id=name,
            customer_id="c1",
            terminal_id="m1",
            event_time=0,
            amount_minor=1,
            currency="EUR",
        ),
        alert_id=f"alert-{name}",
        snapshot={},
    )


def decide(reconciliation: Reconciliation, number: int) -> None:
    outcome = Outcome.REVIEW if number in SUSPICIOUS else Outcome.APPROVE
    reconciliation.on_decision(ReceivedDecision(reconciliation.transaction_id(number), outcome), 0)


def dead_letter(reconciliation: Reconciliation, offset: int) -> None:
    reconciliation.on_dead_letter(
        {"__streams.errors.partition": b"1", "__streams.errors.offset": str(offset).encode()}
    )


def run_without(missing: str) -> Reconciliation:
    """A complete run except for one record of the kind ``missing``."""
    reconciliation = Reconciliation("d0")
    reconciliation.sent, reconciliation.malformed = SENT, MALFORMED
    for number in range(SENT - (missing == "decision")):
        decide(reconciliation, number)
    for number in SUSPICIOUS[missing == "alert" :]:
        reconciliation.on_alert(alert(reconciliation, number))
    for offset in range(MALFORMED - (missing == "dead letter")):
        dead_letter(reconciliation, offset)
    return reconciliation


def test_a_complete_run_reconciles() -> None:
    reconciliation = run_without("nothing")

    assert reconciliation.settled
    assert reconciliation.balance().differences() == []
    assert (
        "reconciled: 22 produced = 20 decided + 2 dead-lettered + 0 duplicates"
        in reconciliation.balance().lines()
    )
    assert (
        "reconciled: 2 alerts expected from the decisions, 2 alerts received"
        in reconciliation.balance().lines()
    )


@pytest.mark.parametrize(
    ("missing", "difference"),
    [
        ("decision", "1 transactions are not decided"),
        ("alert", "1 alerts are missing"),
        ("dead letter", "1 dead letters for 2 malformed messages"),
    ],
)
def test_a_missing_record_is_named(missing: str, difference: str) -> None:
    reconciliation = run_without(missing)

    assert not reconciliation.settled
    assert [difference] == reconciliation.balance().differences()
    assert reconciliation.balance().lines()[0].startswith("DOES NOT RECONCILE")


def test_repeats_are_counted_separately_and_change_nothing_else() -> None:
    reconciliation = run_without("nothing")
    decide(reconciliation, 3)
    reconciliation.on_alert(alert(reconciliation, 3))
    dead_letter(reconciliation, 0)

    account = reconciliation.balance()

    assert (account.repeated_decisions, account.repeated_alerts) == (1, 1)
    assert account.differences() == []


def test_a_repeat_does_not_hide_a_missing_decision() -> None:
    reconciliation = run_without("decision")
    decide(reconciliation, 0)

    assert reconciliation.balance().differences() == ["1 transactions are not decided"]


@pytest.mark.parametrize("name", ["d0t20", "d1t3", "d0tx", "t3", "d0t-1"])
def test_a_decision_on_an_unsent_transaction_is_a_difference(name: str) -> None:
    reconciliation = run_without("nothing")
    reconciliation.on_decision(ReceivedDecision(name, Outcome.APPROVE), 0)

    assert reconciliation.balance().differences() == ["1 records of transactions that were not sent"]


def test_an_alert_under_another_id_is_a_difference() -> None:
    reconciliation = run_without("nothing")
    reconciliation.on_alert(msgspec.structs.replace(alert(reconciliation, 3), alert_id="another"))

    assert reconciliation.balance().differences() == ["1 records of transactions that were not sent"]


def test_an_alert_without_a_suspicious_decision_is_a_difference() -> None:
    reconciliation = run_without("nothing")
    reconciliation.on_alert(alert(reconciliation, 4))

    assert reconciliation.balance().differences() == ["1 alerts have no decision"]


def test_id_sets_count_their_difference() -> None:
    some, others = IdSet(), IdSet()
    for number in (0, 8, 100_000):
        some.add(number)
    others.add(8)

    assert (len(some), some.without(others), others.without(some)) == (3, 2, 0)


def test_the_summary_ends_with_the_reconciliation() -> None:
    snapshot = Snapshot(run_without("alert"), started_seconds=0.0)

    assert snapshot.summary()[0] == "no alert arrived"
    assert snapshot.summary()[-1] == "1 alerts are missing"
