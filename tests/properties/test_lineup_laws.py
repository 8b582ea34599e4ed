"""Laws of challengers and canaries: no fault of theirs changes a decision of the champion, and their time is bounded."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.computation.feature_set import SHIPPED
from app.domain.control import CanaryBounds
from app.domain.decision import Decision, ModelReference, SourceOffset, Thresholds
from app.domain.transaction import Transaction
from app.features import catalog
from app.scoring import scorer
from app.scoring.canary import Canary, in_share
from app.scoring.challenger import MOST_FAILURES, MOST_OVERRUNS, Challenger
from app.scoring.lineup import Lineup
from app.scoring.model import Distribution, Rows, Scores
from app.scoring.scorer import ScoringInput

WIDTH = len(catalog.NAMES)
BUDGET_SECONDS = 0.010


class Clock:
    """A clock that only scripted models advance."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A model with a given behaviour."""

    thresholds = Thresholds(review=0.5, decline=0.9)
    distributions: dict[str, Distribution] = {}  # noqa: RUF012  # the protocol requires a dict; it is never changed

    def __init__(self, name: str, behaviour: Callable[[Rows], Scores]) -> None:
        self.reference = ModelReference(name=name, version="1", digest=name)
        self._behaviour = behaviour

    def score(self, rows: Rows) -> Scores:
        return self._behaviour(rows)

    def contributions(self, rows: Rows) -> None:  # noqa: ARG002  # the protocol's signature
        return None


def first_feature(rows: Rows) -> Scores:
    return np.clip(np.nan_to_num(rows[:, 0]), 0, 1)


def overwrites_its_input(rows: Rows) -> Scores:
    rows[:] = 1.0
    return np.full(len(rows), 0.3)


def raises(rows: Rows) -> Scores:
    raise MemoryError(f"{len(rows)} rows")


BEHAVIOURS: dict[str, Callable[[Rows], Any]] = {
    "sound": lambda rows: np.full(len(rows), 0.3),
    "overwrites its input": overwrites_its_input,
    "raises": raises,
    "asserts": lambda rows: np.testing.assert_array_equal(rows, None),
    "gives NaN": lambda rows: np.full(len(rows), np.nan),
    "gives one NaN": lambda rows: np.where(np.arange(len(rows)) == 0, np.nan, 0.3),
    "leaves the range": lambda rows: np.full(len(rows), 1.1),
    "gives too few": lambda rows: np.full(len(rows) + 1, 0.3)[2:],
    "gives a table": lambda rows: np.full((len(rows), 2), 0.3),
    "gives nothing": lambda _: None,
    "gives text": lambda rows: ["0.x"] * len(rows),
}


class Step(NamedTuple):
    """The behaviour of a compared model for one chunk, and its duration."""

    behaviour: str
    seconds: float


steps = st.builds(
    Step,
    st.sampled_from(list(BEHAVIOURS)),
    st.one_of(st.just(0.0), st.floats(0, BUDGET_SECONDS), st.floats(0, 1)),
)
chunks = st.lists(st.integers(0, 5), min_size=1, max_size=40)


class Trial:
    """A model that repeats a list of steps."""

    def __init__(self, script: list[Step], clock: Clock, name: str = "trial") -> None:
        self.calls: list[float] = []
        self._script, self._clock = script, clock
        self.model = Scripted(name, self._next)

    def _next(self, rows: Rows) -> Scores:
        step = self._script[len(self.calls) % len(self._script)]
        self.calls.append(step.seconds)
        self._clock.now += step.seconds
        found: Scores = BEHAVIOURS[step.behaviour](rows)
        return found


def inputs(size: int, number: int) -> ScoringInput:
    random = np.random.default_rng([size, number])
    transactions = [
        Transaction(
            transaction_id=f"t{number}-{i}",
            customer_id=f"c{random.integers(50)}",
            terminal_id="m",
            event_time=1_760_000_000_000,
            amount_minor=1,
            currency="EUR",
        )
        for i in range(size)
    ]
    nothing = np.zeros(size, np.int64)
    return ScoringInput(
        SHIPPED, transactions, random.uniform(0, 1, (size, WIDTH)), [0] * size, nothing, nothing
    )


def decided(lineup: Lineup, what: ScoringInput) -> list[Decision]:
    before = what.rows.copy()
    scored = lineup.score(what.rows, what.transactions)
    shadow = lineup.shadow(what.rows, scored)
    assert np.array_equal(before, what.rows)
    sources = [SourceOffset(topic="transactions", partition=0, offset=at) for at in range(len(before))]
    return scorer.decide(what, sources, scored, shadow, 0)


def without_shadow(decisions: list[Decision]) -> list[tuple[object, ...]]:
    return [(one.score, one.outcome, one.thresholds, one.model, tuple(one.features)) for one in decisions]


@given(st.lists(st.lists(steps, min_size=1, max_size=6), min_size=1, max_size=3), chunks)
def test_no_challenger_changes_a_decision(scripts: list[list[Step]], sizes: list[int]) -> None:
    clock = Clock()
    champion = Scripted("champion", first_feature)
    trials = [Trial(script, clock, f"trial-{at}") for at, script in enumerate(scripts)]
    watched = Lineup(champion, [Challenger(trial.model, BUDGET_SECONDS, clock) for trial in trials])
    alone = Lineup(champion)

    for number, size in enumerate(sizes):
        expected = decided(alone, inputs(size, number))
        found = decided(watched, inputs(size, number))
        assert without_shadow(expected) == without_shadow(found)
        assert all(0 <= score <= 1 for one in found for score in one.shadow.values())


@given(st.lists(steps, min_size=1, max_size=20), st.integers(1, 200))
def test_a_challenger_takes_at_most_its_budgets_plus_its_longest_call(
    script: list[Step], number: int
) -> None:
    clock = Clock()
    trial = Trial(script, clock)
    challenger = Challenger(trial.model, BUDGET_SECONDS, clock)
    for chunk in range(1, number + 1):
        challenger.score(np.zeros((3, WIDTH)))
        assert sum(trial.calls) <= chunk * BUDGET_SECONDS + max(trial.calls) + 1e-9

    assert sum(challenger.tally) == 3 * number


@given(st.lists(steps, min_size=1, max_size=20), st.integers(1, 200))
def test_a_suspended_challenger_is_never_called_again(script: list[Step], number: int) -> None:
    clock = Clock()
    trial = Trial(script, clock)
    challenger = Challenger(trial.model, BUDGET_SECONDS, clock)
    for _ in range(number):
        suspended, calls = bool(challenger.suspended), len(trial.calls)
        challenger.score(np.zeros((3, WIDTH)))
        assert not suspended or len(trial.calls) == calls


@given(st.sampled_from([name for name in BEHAVIOURS if name not in {"sound", "overwrites its input"}]))
def test_a_challenger_that_keeps_failing_is_suspended(behaviour: str) -> None:
    clock = Clock()
    trial = Trial([Step(behaviour, 0.0)], clock)
    challenger = Challenger(trial.model, BUDGET_SECONDS, clock)
    for _ in range(MOST_FAILURES + 5):
        assert challenger.score(np.zeros((3, WIDTH))) is None

    assert len(trial.calls) == MOST_FAILURES
    assert "failed" in challenger.suspended


def test_a_challenger_that_is_always_too_slow_is_suspended() -> None:
    clock = Clock()
    trial = Trial([Step("sound", 3 * BUDGET_SECONDS)], clock)
    challenger = Challenger(trial.model, BUDGET_SECONDS, clock)
    for _ in range(10 * MOST_OVERRUNS):
        challenger.score(np.zeros((3, WIDTH)))

    assert len(trial.calls) == MOST_OVERRUNS
    assert "10 ms" in challenger.suspended


@given(st.sampled_from(["raises", "gives NaN"]), st.integers(0, MOST_FAILURES - 1))
def test_a_challenger_that_fails_occasionally_is_never_suspended(behaviour: str, failures: int) -> None:
    clock = Clock()
    trial = Trial([Step(behaviour, 0.0)] * failures + [Step("sound", 0.0)], clock)
    challenger = Challenger(trial.model, BUDGET_SECONDS, clock)
    for _ in range(10 * MOST_FAILURES):
        challenger.score(np.zeros((3, WIDTH)))

    assert len(trial.calls) == 10 * MOST_FAILURES


def test_a_challenger_that_is_occasionally_too_slow_is_not_suspended() -> None:
    clock = Clock()
    script = [Step("sound", 1.5 * BUDGET_SECONDS)] * (MOST_OVERRUNS - 1) + [Step("sound", 0.0)]
    trial = Trial(script, clock)
    challenger = Challenger(trial.model, BUDGET_SECONDS, clock)
    for _ in range(20 * MOST_OVERRUNS):
        challenger.score(np.zeros((3, WIDTH)))

    assert not challenger.suspended
    assert len(trial.calls) > 5 * MOST_OVERRUNS


@given(st.lists(steps, min_size=1, max_size=6), st.floats(0.01, 1), chunks)
def test_each_decision_is_made_by_either_the_canary_or_the_champion(
    script: list[Step], share: float, sizes: list[int]
) -> None:
    """Score, thresholds and name of a decision are of the same model."""
    clock, champion = Clock(), Scripted("champion", first_feature)
    bounds = CanaryBounds(max_alert_rate=0.5, window=10, max_failures=1)
    canary = Canary(Trial(script, clock, "canary").model, share, bounds, clock)
    lineup = Lineup(champion, [], canary)

    for number, size in enumerate(sizes):
        alone = decided(Lineup(champion), inputs(size, number))
        for expected, found in zip(alone, decided(lineup, inputs(size, number)), strict=True):
            if found.model.name == "canary":
                assert in_share(found.customer_id, share)
                assert (found.score, found.shadow) == (0.3, {"champion/1": expected.score})
            else:
                assert without_shadow([expected]) == without_shadow([found])
        assert not canary.stopped or not len(canary.chosen(["c1", "c2"]))


@given(st.text(min_size=1, max_size=64), st.floats(0, 1), st.floats(0, 1))
def test_a_customer_in_a_share_is_in_every_larger_share(customer_id: str, one: float, other: float) -> None:
    small, large = sorted([one, other])

    assert in_share(customer_id, large) or not in_share(customer_id, small)


def test_a_share_contains_its_proportion_of_customers() -> None:
    chosen = sum(in_share(f"customer-{number}", 0.05) for number in range(100_000))

    assert abs(chosen - 5_000) < 300


def watched(bounds: CanaryBounds, script: list[Step], chunks_of: int, number: int) -> list[str]:
    clock, stops = Clock(), list[str]()
    canary = Canary(Trial(script, clock).model, 1.0, bounds, clock, stops.append)
    for _ in range(number):
        if len(canary.chosen(["c"])):
            canary.score(np.zeros((chunks_of, WIDTH)))
    assert bool(stops) is bool(canary.stopped)
    return stops


def test_a_canary_that_fails_too_often_stops() -> None:
    bounds = CanaryBounds(max_alert_rate=1.0, max_failures=2)

    assert watched(bounds, [Step("raises", 0)], 5, 2) == []
    (stops,) = watched(bounds, [Step("raises", 0)], 5, 9)
    assert "failed 3 times, last with MemoryError; 2 were allowed" in stops


def test_a_canary_that_is_slow_on_average_stops_but_not_after_a_single_slow_chunk() -> None:
    bounds = CanaryBounds(max_alert_rate=1.0, max_chunk_ms=20)

    assert watched(bounds, [Step("sound", 0.3)] + 19 * [Step("sound", 0.001)], 5, 60) == []
    (stops,) = watched(bounds, [Step("sound", 0.021)], 5, 60)
    assert "took 21 ms a chunk, allowed were 20" in stops


def test_a_canary_whose_alert_rate_leaves_its_bounds_stops() -> None:
    silent = watched(
        CanaryBounds(max_alert_rate=0.9, min_alert_rate=0.01, window=50), [Step("sound", 0)], 10, 9
    )
    assert "alerted on 0.000% of its transactions, allowed were 1.000% to 90.000%" in "".join(silent)

    clock, stops = Clock(), list[str]()
    bounds = CanaryBounds(max_alert_rate=0.2, window=50)
    canary = Canary(Scripted("loud", lambda rows: np.full(len(rows), 0.7)), 1.0, bounds, clock, stops.append)
    scored = [canary.score(np.zeros((10, WIDTH))) is not None for _ in range(5)]
    assert scored == [
        True,
        True,
        True,
        True,
        False,
    ]  # the chunk that exceeds the bound is decided by the champion
    assert "alerted on 100.000%" in "".join(stops)


def test_the_alert_rate_is_that_of_a_window() -> None:
    clock, stops, calls = Clock(), list[str](), list[int]()

    def loud_in_the_end(rows: Rows) -> Scores:
        calls.append(len(rows))
        return np.full(len(rows), 0.3 if len(calls) <= 5 else 0.7)

    bounds = CanaryBounds(max_alert_rate=0.6, window=50)
    canary = Canary(Scripted("late", loud_in_the_end), 1.0, bounds, clock, stops.append)
    scored = [canary.score(np.zeros((10, WIDTH))) is not None for _ in range(10)]
    assert scored == [True] * 9 + [False]
    assert "alerted on 100.000%" in "".join(stops)
