"""Nothing of the future is learnt."""

import re

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.training.fitting import fit
from app.training.split import plan, require_frauds
from tests.unit.training.histories import OPTIONS, dataset, split_by_time


@pytest.mark.parametrize(
    ("days", "warm_up", "delay", "fitted_days", "tested_days"),
    # test 7 days, at least 7 days to fit
    [(90, 30, 7, 46, 7), (60, 30, 7, 16, 7), (40, 0, 7, 26, 7), (21, 0, 7, 7, 7)],
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


def test_a_week_without_frauds_is_refused() -> None:
    none = msgspec.structs.replace(dataset(21), frauds=np.zeros(21 * 24 + 1, bool))

    with pytest.raises(InvalidFile, match="both kinds are needed"):
        require_frauds(split_by_time(none, OPTIONS).fitted, "these days")


@given(days=st.integers(1, 60), test_days=st.integers(1, 30), delay_days=st.integers(0, 20))
def test_the_delay_is_kept_or_the_history_refused_with_options_that_mend_it(
    days: int, test_days: int, delay_days: int
) -> None:
    options = msgspec.structs.replace(OPTIONS, test_days=test_days, delay_days=delay_days)
    try:
        assert plan(0, days * DAY_MS, options).delay_days == delay_days
    except InvalidFile as error:
        mended = re.search(r"--test-days (\d+)", str(error))
        if mended:
            options = msgspec.structs.replace(options, test_days=int(mended[1]))
            assert plan(0, days * DAY_MS, options).delay_days == delay_days
        else:
            assert days <= delay_days + 7


def test_a_history_without_room_for_the_delay_is_refused_with_the_remedies() -> None:
    with pytest.raises(
        InvalidFile,
        match=r"15\.0 days .* 7 to test, 7 before them .* are 21\. Use a longer history, `--test-days 1` or `--label-",
    ):
        plan(0, 15 * DAY_MS, OPTIONS)


def test_a_feature_that_no_row_has_changes_no_score() -> None:
    data = dataset(60)
    data.rows[:, 0] = data.frauds
    data.rows[:, 3] = np.nan
    estimator = fit(data, OPTIONS)
    with_value = data.rows.copy()
    with_value[:, 3] = 7.0

    assert np.array_equal(estimator.predict_proba(data.rows), estimator.predict_proba(with_value))
