"""Laws of policies: both back-ends equal a recount, wherever chunks end; precedence; the default policy is today's thresholds."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.decision import Thresholds
from app.expressions.vector.columns import chunk_of
from app.policy import hit_rates
from app.policy.definitions import Policy
from app.policy.hit_rates import HitState
from app.policy.lists import FixedLists
from app.policy.program import OUTCOMES, SETTLED_BY, ModelThresholds, PolicyProgram
from app.scoring import policy as two_thresholds
from tests.support.expressions.names import LISTS
from tests.support.policies.oracle import Answer, Given, Recount
from tests.support.policies.random_policies import POLICY_NAMES, policies, scores, thresholds, transactions

KINDS = [column.kind for column in POLICY_NAMES.columns]


def decided(program: PolicyProgram, some: Sequence[Given], state: HitState) -> tuple[list[Answer], HitState]:
    """The answers to a chunk of a partition."""
    chunk = chunk_of([each.row for each in some], KINDS)
    matches = program.matches(chunk, FixedLists(some[0].entries if some else {}, LISTS))
    state, live = hit_rates.advance(state, matches.rules, program.limits)
    review, decline = (np.array([each.thresholds[side] for each in some], np.float64) for side in (0, 1))
    late = np.array([each.is_late for each in some], np.bool_)
    found = program.settle(chunk, matches, live, ModelThresholds(review, decline), late)
    fired = program.fired(matches.rules, live)
    return [
        Answer(
            OUTCOMES[found.outcomes[row]],
            SETTLED_BY[found.outcome_by[row]],
            tuple((rule.id, rule.mode == "live") for rule in fired[row]),
            (found.review[row], found.decline[row]),
        )
        for row in range(len(some))
    ], state


@settings(max_examples=150)
@given(policies(), transactions(), st.lists(st.integers(0, 40), max_size=3))
def test_any_chunks_are_decided_as_by_the_recount(policy: Policy, some: list[Given], cuts: list[int]) -> None:
    program, state, found = PolicyProgram(policy, POLICY_NAMES), HitState(), []
    borders = [0, *sorted(min(cut, len(some)) for cut in cuts), len(some)]
    for first, last in pairwise(borders):
        answers, state = decided(program, some[first:last], state)
        found += answers

    assert found == Recount(policy, POLICY_NAMES).answers(some)


@settings(max_examples=100)
@given(policies(), transactions())
def test_rows_and_columns_match_the_same(policy: Policy, some: list[Given]) -> None:
    conditions = PolicyProgram(policy, POLICY_NAMES).conditions
    chunk, lists = (
        chunk_of([each.row for each in some], KINDS),
        FixedLists(some[0].entries if some else {}, LISTS),
    )

    assert np.array_equal(conditions.by_row(chunk, lists), conditions.by_column(chunk, lists))


@given(st.lists(scores, max_size=40), thresholds)
def test_a_policy_without_rules_and_bands_is_the_two_thresholds_of_the_model(
    some: list[float], of_model: Thresholds
) -> None:
    empty = Policy(name="default", version="1", reference_currency="EUR", hit_rate_window=1_000)
    row = (None,) * len(POLICY_NAMES.columns)
    given = [Given((*row[:-1], score), {}, (of_model.review, of_model.decline), True) for score in some]

    answers, _ = decided(PolicyProgram(empty, POLICY_NAMES), given, HitState())

    assert [answer.outcome for answer in answers] == [
        two_thresholds.outcome(score, of_model) for score in some
    ]
    assert {(answer.by, answer.fired) for answer in answers} <= {("band", ())}
