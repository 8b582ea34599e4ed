"""Every figure of a model, against a recount that loops over transactions and shares no code with it."""

from collections import defaultdict
from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.decision import Thresholds
from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.training import metrics
from app.training.folds import Fold, Protocol, folds, most_folds
from app.training.metrics import Costs
from app.training.scored_dataset import ScoredDataset, joined

Row = tuple[int, int, float, bool]
"""Day, customer, score, fraud."""

ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 20).map(lambda n: n / 20), st.booleans()),
    min_size=1,
    max_size=60,
)


def judged(rows: list[Row], patterns: list[int] | None = None) -> ScoredDataset:
    days, customers, scores, frauds = (np.array(column) for column in zip(*rows, strict=True))
    return ScoredDataset(
        scores=scores.astype(np.float64),
        frauds=frauds.astype(np.bool_),
        event_times=days * DAY_MS + np.arange(len(days)),
        customers=customers,
        amounts_minor=100 * np.arange(1, len(days) + 1),
        patterns=np.array(patterns or [0] * len(rows)),
        pattern_names=("", "b", "a"),
    )


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_which_the_fraud_scores_higher(rows: list[Row]) -> None:
    frauds = [score for *_, score, fraud in rows if fraud]
    others = [score for *_, score, fraud in rows if not fraud]
    found = metrics.auc_roc(judged(rows).scores, judged(rows).frauds)

    if not frauds or not others:
        assert found is None
    else:
        wins = [1.0 if f > o else 0.5 if f == o else 0.0 for f, o in product(frauds, others)]
        assert found == pytest.approx(sum(wins) / len(wins))


@given(ROWS)
def test_average_precision_weighs_each_threshold_by_the_frauds_it_adds(rows: list[Row]) -> None:
    all_frauds = sum(fraud for *_, fraud in rows)
    found = metrics.average_precision(judged(rows).scores, judged(rows).frauds)

    if all_frauds in (0, len(rows)):
        assert found is None
        return
    expected = 0.0
    for threshold in {score for _, _, score, _ in rows}:
        among = [fraud for *_, score, fraud in rows if score >= threshold]
        added = sum(fraud for *_, score, fraud in rows if score == threshold)
        expected += sum(among) / len(among) * added / all_frauds
    assert found == pytest.approx(expected)


@given(ROWS, st.integers(1, 5))
def test_card_precision_is_counted_day_by_day_without_those_found_before(rows: list[Row], k: int) -> None:
    shares, known = [], set()
    for day in sorted({row[0] for row in rows}):
        scores: dict[int, float] = defaultdict(float)
        frauds: dict[int, bool] = defaultdict(bool)
        for at, customer, score, fraud in rows:
            if at == day and customer not in known:
                scores[customer] = max(scores[customer], score)
                frauds[customer] |= fraud
        top = sorted(scores, key=lambda customer: (-scores[customer], customer))[:k]
        hits = {customer for customer in top if frauds[customer]}
        shares.append(len(hits) / k)
        known |= hits

    assert metrics.card_precision(judged(rows), k) == pytest.approx(sum(shares) / len(shares))


@given(ROWS, st.integers(0, 20).map(lambda n: n / 20))
def test_a_threshold_is_told_by_what_it_alerts_on(rows: list[Row], threshold: float) -> None:
    alerts = [i for i, (*_, score, _) in enumerate(rows) if score >= threshold]
    hits = [i for i in alerts if rows[i][3]]
    frauds = sum(fraud for *_, fraud in rows)
    days = max(row[0] for row in rows) - min(row[0] for row in rows) + 1
    amount = sum(100 * (i + 1) for i in hits)

    found = metrics.at_threshold(judged(rows), threshold, Costs(review_cost_minor=30, recovered_share=0.5))

    assert found.alerts == len(alerts)
    assert found.alerts_per_day == pytest.approx(len(alerts) / days)
    assert found.precision == (len(hits) / len(alerts) if alerts else None)
    assert found.recall == (len(hits) / frauds if frauds else None)
    assert found.money_saved_minor == pytest.approx(0.5 * amount - 30 * len(alerts))
    legitimate = len(rows) - frauds
    assert found.false_positive_rate == ((len(alerts) - len(hits)) / legitimate if legitimate else None)


def test_the_brier_score_is_zero_for_the_truth_and_one_for_its_opposite() -> None:
    frauds = np.array([True, False, False])

    assert metrics.brier(frauds.astype(np.float64), frauds) == 0.0
    assert metrics.brier(1.0 - frauds, frauds) == 1.0


def test_a_pattern_is_judged_among_its_own_frauds_and_the_legitimate() -> None:
    rows: list[Row] = [(0, 0, 0.9, True), (0, 1, 0.2, True), (0, 2, 0.3, False), (0, 3, 0.1, False)]

    first, second = metrics.by_pattern(judged(rows, [2, 1, 0, 0]), Thresholds(review=0.2, decline=0.5))

    assert (first.pattern, first.auc_roc, first.review_recall, first.decline_recall) == ("a", 1.0, 1.0, 1.0)
    assert (second.pattern, second.auc_roc, second.review_recall, second.decline_recall) == (
        "b",
        0.5,
        1.0,
        0.0,
    )


def test_parts_are_joined_in_order() -> None:
    rows: list[Row] = [(0, 0, 0.9, True), (1, 1, 0.2, False)]

    assert joined([judged(rows[:1]), judged(rows[1:])]).days.tolist() == [0, 1]


class TestFolds:
    def test_the_handbook_s_folds_are_those_of_its_readme(self) -> None:
        newest, *_, oldest = folds(Protocol(), 0, 156)  # 2018-04-01 is day 0, 2018-09-04 day 156

        assert newest == Fold(136, 143, 150, 157)  # trains 08-15 to 08-21, tests 08-29 to 09-04
        assert oldest == Fold(115, 122, 129, 136)

    def test_too_short_a_history_is_refused_with_the_days_it_lacks(self) -> None:
        with pytest.raises(InvalidFile, match=r"4 folds need 42 days, the file has 39: take `--folds 3`"):
            folds(Protocol(), 118, 156)

    @given(
        st.builds(
            Protocol, train_days=st.integers(1, 9), delay_days=st.integers(0, 9), test_days=st.integers(1, 9)
        ),
        st.integers(0, 60),
    )
    def test_the_most_folds_fit_and_one_more_does_not(self, protocol: Protocol, last_day: int) -> None:
        fitting = most_folds(protocol, 0, last_day)

        if fitting:
            assert fitting == len(folds(msgspec.structs.replace(protocol, folds=fitting), 0, last_day))
        with pytest.raises(
            InvalidFile, match=rf"{fitting + 1} folds need \d+ days, the file has {last_day + 1}"
        ):
            folds(msgspec.structs.replace(protocol, folds=fitting + 1), 0, last_day)

    @given(ROWS, st.integers(0, 2))
    def test_who_is_known_to_be_defrauded_is_not_tested_again(self, rows: list[Row], delay: int) -> None:
        """Fraud of day d is known on day d + delay + 1; fraud before the training period does not count."""
        fold = Fold(1, 2, 2 + delay, 5)
        data = judged(rows)
        expected = [
            fold.test_from <= day < fold.test_until
            and not any(c == customer and f and 1 <= d < day - delay for d, c, _, f in rows)
            for day, customer, *_ in rows
        ]

        assert fold.tests(data.days, data.customers, data.frauds).tolist() == expected

    def test_training_waiting_and_test_do_not_overlap_and_leave_no_day_out(self) -> None:
        days = np.arange(0, 157)
        nobody, none = np.zeros(157, dtype=np.int64), np.zeros(157, dtype=np.bool_)

        (fold,) = folds(Protocol(folds=1), 0, 156)

        parts = fold.trains(days).astype(int) + fold.waits(days) + fold.tests(days, nobody, none)
        assert parts.tolist() == [0] * 136 + [1] * 21
