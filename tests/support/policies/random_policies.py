"""Random policies over the names of tests of expressions, and random transactions for them, for Hypothesis."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from app.domain.decision import Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, RuleMode
from app.expressions.names import Field, Kind
from app.policy.definitions import SCORE, Band, Deadline, Policy, Rule
from tests.support.expressions.names import CHANNELS, NAMES
from tests.support.expressions.rows import lists, rows
from tests.support.expressions.trees import conditions
from tests.support.policies.oracle import Given

POLICY_NAMES = msgspec.structs.replace(NAMES, columns=(*NAMES.columns, Field(SCORE, Kind.NUMBER)))
shares = st.sampled_from([0.0, 0.25, 0.5, 0.5000001, 0.9, 1.0])
scores = st.one_of(st.floats(0, 1), shares)
thresholds = st.tuples(scores, scores).map(lambda pair: Thresholds(review=min(pair), decline=max(pair)))


def _rule(identifier: int, when: Any, then: Effect, mode: RuleMode, expires: date, most: float) -> Rule:
    end = datetime.combine(expires, datetime.min.time(), UTC) + timedelta(days=1)
    return Rule(
        id=f"r{identifier}",
        when=when,
        then=then,
        mode=mode,
        reason="R",
        text="",
        owner="",
        expires=expires,
        expires_ms=int(end.timestamp()) * 1000,
        max_hit_rate=most,
    )


_rules = st.builds(
    _rule,
    st.just(0),
    conditions(2),
    st.sampled_from(Effect),
    st.sampled_from(RuleMode),
    st.dates(date(1999, 1, 1), date(2120, 1, 1)),
    shares,
)
_bands = st.builds(Band, when=conditions(1), thresholds=thresholds)
_deadlines = st.builds(
    Deadline,
    default=st.sampled_from(Outcome),
    channels=st.dictionaries(st.sampled_from(CHANNELS), st.sampled_from(Outcome)),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    found = draw(st.lists(_rules, max_size=5))
    default = draw(st.lists(st.builds(Band, when=st.none(), thresholds=thresholds), max_size=1))
    return Policy(
        name="random",
        version="1",
        reference_currency="EUR",
        hit_rate_window=draw(st.sampled_from([1, 2, 4, 10, 100])),
        rules=tuple(msgspec.structs.replace(rule, id=f"r{number}") for number, rule in enumerate(found)),
        bands=(*draw(st.lists(_bands, max_size=3)), *default),
        deadline=draw(st.none() | _deadlines),
    )


@st.composite
def transactions(draw: st.DrawFn, most: int = 40) -> list[Given]:
    """Transactions of one partition, of which some are the same; the lists are those of the first."""
    some = draw(st.lists(st.tuples(rows, scores, thresholds, st.booleans()), min_size=1, max_size=5))
    entries, order = draw(lists), draw(st.lists(st.sampled_from(range(len(some))), max_size=most))
    return [
        Given((*row, score), entries, (each.review, each.decline), late)
        for row, score, each, late in (some[index] for index in order)
    ]
