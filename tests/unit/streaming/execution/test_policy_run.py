"""A policy in the hot path: what it settles is in the decisions, and its counts are those of a partition."""

from datetime import date
from typing import Any

import msgspec
import pytest

from app.adapters.catalog_file.reader import load_catalog
from app.adapters.serde.json_codec import encode_event
from app.computation.feature_set import SHIPPED
from app.computation.policy_columns import PolicyColumns
from app.domain.decision import Alert, Decision, Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, FiredRule, Holdout, OutcomeBy, PolicyReference, RuleMode
from app.domain.transaction import Transaction
from app.expressions.checking import checker
from app.expressions.names import Kind
from app.features.delayed_features import absent
from app.policy import definitions
from app.policy.definitions import Band, Deadline, DeclaredList, Policy, Rule
from app.policy.lists import FixedLists
from app.policy.names import policy_names
from app.policy.program import PolicyProgram
from app.processing.chunk import Chunk
from app.processing.policy_run import ListsAsOf, LoadedPolicy, PolicyRun
from app.processing.score_chunk import ChunkScorer, ScoredChunk
from app.processing.stopwatch import Stopwatch
from app.scoring.verdicts import outcome_again
from tests.unit.streaming.execution.test_score_chunk import NOW_MS, Record, scorer

REFERENCE = PolicyReference(name="desk", version="1", digest="d")
CATALOG = load_catalog("baseline")
LISTS = (DeclaredList(name="bad_devices", kind=Kind.IDENTIFIER),)
NAMES = policy_names(CATALOG, LISTS)
BAD_DEVICES = ListsAsOf(FixedLists({"bad_devices": frozenset({"d1"})}), 41)


def rule(name: str, when: str, then: Effect, **changes: Any) -> Rule:
    made = Rule(
        id=name,
        when=checker.condition(when, NAMES),
        then=then,
        mode=RuleMode.LIVE,
        reason="R1",
        text="what it means",
        owner="desk",
        expires=date(2100, 1, 1),
        expires_ms=4_102_444_800_000,
        max_hit_rate=1.0,
    )
    return msgspec.structs.replace(made, **changes)


def policy(*rules: Rule, **changes: Any) -> Policy:
    made = Policy(
        name="desk", version="1", reference_currency="EUR", hit_rate_window=100, lists=LISTS, rules=rules
    )
    return msgspec.structs.replace(made, **changes)


def run(terms: Policy, **options: Any) -> PolicyRun:
    program = PolicyProgram(terms, NAMES)
    columns = PolicyColumns(CATALOG, SHIPPED.names, NAMES, program.needed)
    return PolicyRun(LoadedPolicy(REFERENCE, program, columns), 4, lambda: BAD_DEVICES, **options)


def transaction(number: int, **fields: Any) -> Transaction:
    given = {
        "transaction_id": f"t{number}",
        "customer_id": "c1",
        "terminal_id": "m1",
        "event_time": NOW_MS,
        "amount_minor": 500,
        "currency": "EUR",
    }
    return msgspec.convert(given | fields, Transaction)


def scored(chunk_scorer: ChunkScorer, *transactions: Transaction, first: int = 0) -> ScoredChunk:
    records = [
        Record(each.customer_id.encode(), encode_event(each), offset)
        for offset, each in enumerate(transactions, first)
    ]
    stopwatch = Stopwatch(lambda: 0.0)
    folded = chunk_scorer.fold([Chunk(3, records)], stopwatch)
    (chunk,) = chunk_scorer.decide(folded, absent(folded.touched), NOW_MS, stopwatch)
    return chunk


def decisions(terms: Policy, *transactions: Transaction) -> list[Decision]:
    chunk_scorer = scorer()
    chunk_scorer.policy = run(terms)
    found = scored(chunk_scorer, *transactions).decisions
    return [msgspec.json.decode(record.value or b"", type=Decision) for record in found]


def test_a_decision_names_the_policy_the_lists_and_the_rules_that_fired() -> None:
    rules = [
        rule("seen", "amount > 1 EUR", Effect.REVIEW, mode=RuleMode.SHADOW),
        rule("device", "device_id in bad_devices", Effect.BLOCK),
    ]

    (hit, missed) = decisions(policy(*rules), transaction(1, device_id="d1"), transaction(2, device_id="d2"))

    assert (hit.policy, hit.lists_offset, hit.outcome) == (REFERENCE, 41, Outcome.DECLINE)
    assert (hit.outcome_by, hit.rules) == (OutcomeBy.RULE, ["device"])
    assert hit.fired == [
        FiredRule(id="device", effect=Effect.BLOCK, mode=RuleMode.LIVE),
        FiredRule(id="seen", effect=Effect.REVIEW, mode=RuleMode.SHADOW),
    ]
    assert (missed.outcome, missed.outcome_by, missed.rules) == (Outcome.APPROVE, OutcomeBy.BAND, [])


def test_bands_replace_the_thresholds_of_the_model() -> None:
    """The model scores the large amount 0.7, between its thresholds."""
    bands = (
        Band(
            when=checker.condition("channel == 'ecom'", NAMES), thresholds=Thresholds(review=0.2, decline=0.6)
        ),
    )
    large = {"amount_minor": 5_000}

    (ecom, other) = decisions(
        policy(bands=bands), transaction(1, channel="ecom", **large), transaction(2, **large)
    )

    assert (ecom.outcome, ecom.thresholds) == (Outcome.DECLINE, Thresholds(review=0.2, decline=0.6))
    assert (other.outcome, other.thresholds) == (Outcome.REVIEW, Thresholds(review=0.5, decline=0.9))


def test_a_policy_without_rules_and_bands_decides_as_the_thresholds_of_the_model() -> None:
    transactions = [transaction(number, amount_minor=500 + 400 * number) for number in range(6)]
    plain = [
        msgspec.json.decode(one.value or b"", type=Decision)
        for one in scored(scorer(), *transactions).decisions
    ]

    for one, other in zip(plain, decisions(policy(), *transactions), strict=True):
        assert one == msgspec.structs.replace(other, policy=None, lists_offset=None)


@pytest.mark.parametrize(
    ("decide_by", "expected"), [(NOW_MS - 1, OutcomeBy.DEADLINE), (NOW_MS, OutcomeBy.BAND)]
)
def test_a_deadline_that_has_passed_is_answered_by_channel(decide_by: int, expected: OutcomeBy) -> None:
    deadline = Deadline(default=Outcome.REVIEW, channels={"pos": Outcome.APPROVE})

    (decision,) = decisions(policy(deadline=deadline), transaction(1, decide_by=decide_by, channel="atm"))

    assert decision.outcome_by is expected
    assert decision.outcome is (Outcome.REVIEW if expected is OutcomeBy.DEADLINE else Outcome.APPROVE)


def test_declines_by_score_are_released_and_those_of_rules_are_not() -> None:
    bands = (Band(when=None, thresholds=Thresholds(review=0.2, decline=0.6)),)
    holdout = definitions.Holdout(share=1.0, most_per_day=4, most_amount_per_day=1_000_000)
    terms = policy(rule("device", "device_id in bad_devices", Effect.BLOCK), bands=bands, holdout=holdout)

    by_score, foreign, by_rule, beyond = decisions(
        terms,
        transaction(1, amount_minor=5_000),
        transaction(2, amount_minor=5_000, currency="USD"),
        transaction(3, amount_minor=5_000, device_id="d1"),
        transaction(4, amount_minor=5_000),
    )

    assert by_score.outcome_by is OutcomeBy.HOLDOUT
    assert (by_score.outcome, by_score.holdout) == (
        Outcome.APPROVE,
        Holdout(propensity=1.0, overridden=Outcome.DECLINE),
    )
    assert (foreign.outcome, foreign.holdout) == (Outcome.DECLINE, None)  # its amount cannot be bounded
    assert (by_rule.outcome, by_rule.outcome_by) == (Outcome.DECLINE, OutcomeBy.RULE)
    assert beyond.outcome_by is OutcomeBy.BAND  # a partition of four has one of the four releases a day


def test_a_released_decline_raises_no_alert_and_a_rule_does() -> None:
    bands = (Band(when=None, thresholds=Thresholds(review=0.2, decline=0.6)),)
    holdout = definitions.Holdout(share=1.0, most_per_day=4, most_amount_per_day=1_000_000)
    chunk_scorer = scorer()
    chunk_scorer.policy = run(
        policy(rule("device", "device_id in bad_devices", Effect.REVIEW), bands=bands, holdout=holdout)
    )

    found = scored(chunk_scorer, transaction(1, amount_minor=5_000), transaction(2, device_id="d1")).alerts

    (alert,) = [msgspec.json.decode(record.value or b"", type=Alert) for record in found]
    assert (alert.transaction_id, alert.rules) == ("t2", ["device"])
    assert alert.fired[0].id == "device"


def test_a_rule_beyond_its_hit_rate_goes_to_shadow_and_is_reported_once() -> None:
    demoted: list[tuple[int, list[str]]] = []
    busy = rule("busy", "amount > 1 EUR", Effect.REVIEW, max_hit_rate=0.02)
    chunk_scorer = scorer()
    chunk_scorer.policy = run(policy(busy), on_demoted=lambda *given: demoted.append(given))

    first = scored(chunk_scorer, *(transaction(number) for number in range(4)))
    again = scored(chunk_scorer, *(transaction(number) for number in range(4, 6)), first=4)

    modes = [msgspec.json.decode(one.value or b"", type=Decision).fired[0].mode for one in first.decisions]
    assert modes == [RuleMode.LIVE, RuleMode.LIVE, RuleMode.SHADOW, RuleMode.SHADOW]
    assert again.outcomes == [Outcome.APPROVE] * 2
    assert demoted == [(3, ["busy"])]


def test_the_outcome_is_found_again_from_what_the_decision_records() -> None:
    bands = (Band(when=None, thresholds=Thresholds(review=0.2, decline=0.6)),)
    holdout = definitions.Holdout(share=0.5, most_per_day=400, most_amount_per_day=1_000_000)
    rules = [
        rule("device", "device_id in bad_devices", Effect.BLOCK),
        rule("known", "terminal_id == 'm2'", Effect.APPROVE),
        rule("large", "amount > 40 EUR", Effect.REVIEW),
        rule("tried", "amount > 10 EUR", Effect.DECLINE, mode=RuleMode.SHADOW),
    ]
    transactions = [
        transaction(
            number, amount_minor=500 * number, terminal_id=f"m{number % 3}", device_id=f"d{number % 5}"
        )
        for number in range(40)
    ]

    found = decisions(policy(*rules, bands=bands, holdout=holdout), *transactions)

    assert {one.outcome_by for one in found} == {OutcomeBy.BAND, OutcomeBy.RULE, OutcomeBy.HOLDOUT}
    assert [outcome_again(one.score, one) for one in found] == [one.outcome for one in found]
