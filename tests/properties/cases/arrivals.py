"""Random alerts, suppressions and actions."""

from typing import Any

from hypothesis import strategies as st

from app.cases.contract import CaseAlert
from app.cases.suppression import Suppression, SuppressionKey
from app.domain.identifiers import alert_id
from app.domain.outcomes.outcome import Outcome

START_MS = 1_700_000_000_000
CUSTOMERS, TERMINALS = ("c0", "c1", "c2"), ("m0", "m1")


def alert(number: int, customer: str = "c0", at_ms: int = START_MS, **fields: Any) -> CaseAlert:
    """The alert of transaction ``t<number>``."""
    known: dict[str, Any] = {
        "terminal_id": "m0",
        "score": 0.5,
        "outcome": Outcome.REVIEW,
        "amount_minor": 10_000,
        "currency": "EUR",
    }
    return CaseAlert(
        alert_id=alert_id(f"t{number}"),
        transaction_id=f"t{number}",
        customer_id=customer,
        event_time=at_ms,
        scored_at=at_ms,
        **(known | fields),
    )


@st.composite
def alert_lists(draw: st.DrawFn) -> list[CaseAlert]:
    """Alerts with different ids, in the order of their topic."""
    count = draw(st.integers(0, 12))
    return [
        alert(
            number,
            draw(st.sampled_from(CUSTOMERS)),
            START_MS + draw(st.integers(0, 100)),
            terminal_id=draw(st.sampled_from(TERMINALS)),
            score=draw(st.floats(0, 1)),
            amount_minor=draw(st.integers(0, 10**15)),
            currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        )
        for number in range(count)
    ]


suppressions = st.lists(
    st.builds(
        lambda number, of, start, length: Suppression(
            suppression_id=number,
            key=of[0],
            value=of[1],
            starts_at=START_MS + start,
            ends_at=START_MS + start + length,
        ),
        st.integers(1, 99),
        st.sampled_from(
            [(SuppressionKey.CUSTOMER, name) for name in CUSTOMERS]
            + [(SuppressionKey.TERMINAL, name) for name in TERMINALS]
        ),
        st.integers(-10, 100),
        st.integers(1, 60),
    ),
    max_size=3,
    unique_by=lambda one: one.suppression_id,
)
