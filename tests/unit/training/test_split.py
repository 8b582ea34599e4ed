"""Nothing of the future is learnt."""

import numpy as np
import pytest

from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.training.fitting import fit
from app.training.split import require_frauds
from tests.unit.training.histories import OPTIONS, dataset, split_by_time


@pytest.mark.parametrize(
    ("days", "warm_up", "delay", "fitted_days", "tested_days"),
    # test 7 days, at least 7 days to fit
    [(90, 30, 7, 46, 7), (60, 30, 7, 16, 7), (40, 0, 7, 26, 7), (21, 0, 7, 7, 7), (15, 0, 0, 8, 7)],
)
def test_warm_up_and_delay_are_left_out_where_the_span_allows(
    days: int, warm_up: int, delay: int, fitted_days: int, tested_days: int
) -> None:
    split = split_by_time(dataset(days), OPTIONS)

    assert (split.plan.warm_up_days, split.plan.delay_days) == (warm_up, delay)
    assert len(split.fitted) == 24 * fitted_days + 1
    assert len(split.tested) == 24 * tested_days


def test_nothing_fitted_is_younger_than_the_delay_before_the_first_tested() -> None:
    split = split_by_time(dataset(90), OPTIONS)

    assert split.tested.event_times.min() - split.fitted.event_times.max() > 7 * DAY_MS


def test_a_history_as_short_as_its_test_is_refused() -> None:
    with pytest.raises(InvalidFile, match="both kinds are needed"):
        require_frauds(split_by_time(dataset(5), OPTIONS).fitted, "these days")


def test_a_feature_that_no_row_has_changes_no_score() -> None:
    data = dataset(60)
    data.rows[:, 0] = data.frauds
    data.rows[:, 3] = np.nan
    estimator = fit(data, OPTIONS)
    with_value = data.rows.copy()
    with_value[:, 3] = 7.0

    assert np.array_equal(estimator.predict_proba(data.rows), estimator.predict_proba(with_value))
