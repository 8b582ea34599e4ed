"""Alerts that belong together are one attack; its line has the worst outcome, all amounts and the number of alerts."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.decision import Alert
from app.domain.outcomes.outcome import Outcome
from app.rendering.attacks import MOST_ATTACKS, QUIET_HOURS, Attacks
from app.rendering.decision_text import attack_line
from tests.unit.outputs.alerts import alert, reason

RISKY = reason("terminal_risk_7d", 0.5, 0.0)
QUIET_MINUTES = QUIET_HOURS * 60


def added(*alerts: Alert) -> Attacks:
    attacks = Attacks()
    for one in alerts:
        attacks.add(one)
    return attacks


@given(minutes=st.lists(st.integers(0, QUIET_MINUTES), min_size=1, max_size=30))
def test_alerts_of_a_customer_are_one_attack_however_they_are_ordered(minutes: list[int]) -> None:
    attacks = added(*(alert(minutes=minute, amount_minor=minute) for minute in minutes))

    (attack,) = attacks.newest(9)
    assert (attacks.count, attack.alerts, attack.amounts["EUR"]) == (1, len(minutes), sum(minutes))


def test_an_attack_ends_after_hours_without_an_alert() -> None:
    attacks = added(alert(), alert(minutes=QUIET_MINUTES), alert(minutes=2 * QUIET_MINUTES + 1))

    (newest,) = attacks.newest(9)
    assert (attacks.count, newest.alerts) == (2, 1)


def test_customers_are_separate_except_at_a_terminal_with_past_fraud() -> None:
    apart = added(alert(customer="a"), alert(customer="b"))
    together = added(*(alert(customer=name, reasons=[RISKY]) for name in "ab"))
    elsewhere = added(*(alert(terminal=name, reasons=[RISKY]) for name in "mn"))

    assert [2, 1, 2] == [attacks.count for attacks in (apart, together, elsewhere)]
    assert together.newest(1)[0].target.value == "m0000001"


def test_only_the_first_reason_decides() -> None:
    assert (
        added(*(alert(customer=name, reasons=[reason("transaction_hour"), RISKY]) for name in "ab")).count
        == 2
    )


def test_the_line_shows_the_worst_alert_and_counts_all() -> None:
    worst = alert(
        minutes=1,
        outcome=Outcome.DECLINE,
        score=0.99,
        reasons=[reason("customer_count_1h", 9.0, 1.0, "9 payments in 1 h, usual 1")],
    )
    attacks = added(
        alert(score=0.999), worst, alert(minutes=2, outcome=Outcome.DECLINE, score=0.98, currency="JPY")
    )

    line = attack_line(attacks.newest(1)[0]).plain
    assert "00:02:00  decline  0.9900  25.00 EUR, 1,250 JPY     x3  c0000001" in line
    assert line.endswith("9 payments in 1 h, usual 1")


@given(customers=st.lists(st.integers(0, 150), max_size=400))
def test_the_newest_attacks_are_kept_and_all_are_counted(customers: list[int]) -> None:
    attacks = added(*(alert(customer=f"c{number}") for number in customers))
    order = list(dict.fromkeys(f"c{number}" for number in reversed(customers)))

    assert [attack.target.value for attack in attacks.newest(200)] == order[:MOST_ATTACKS]
    assert attacks.count >= len(order)
