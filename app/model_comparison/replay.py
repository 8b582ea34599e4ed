"""Replays the last weeks of a history with two models, without the customers whose cards would have been blocked.

::

    |-- history, folded --|-- known, 14 d --|------ tested weeks ------|
                            a fraud is known 7 days after its day; from then on the customer's card is blocked,
                            so later transactions of the customer are not counted
"""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidFile
from app.history.feature_fold import FeatureFold
from app.history.fold_history import HistorySource, fold_history
from app.model_comparison.paired import Paired
from app.scoring.model import Model

DELAY_DAYS = 7
TRAINING_DAYS = 7
_NEVER = np.iinfo(np.int64).max


def replay(
    source: HistorySource,
    fold: FeatureFold,
    models: tuple[Model, Model],
    weeks: int,
    unripe_days: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Paired:
    """Return the scores of champion and challenger for the last ``weeks`` of a labelled file. Raises InvalidFile.

    The newest ``unripe_days`` are left out, because most of their labels are not known yet.
    """
    paired = _scored(source, fold, models, on_progress)
    return last_weeks(paired.where(paired.days <= paired.days.max() - unripe_days), weeks)


def last_weeks(paired: Paired, weeks: int) -> Paired:
    """Return the last weeks, without customers whose fraud was known by then. Raises InvalidFile."""
    days = paired.days
    first_tested = int(days.max()) + 1 - 7 * weeks
    if int(days.min()) > first_tested - DELAY_DAYS:
        span = int(days.max() - days.min()) + 1
        fitting = (span - DELAY_DAYS) // 7
        fewer = f", or `--weeks {fitting}`" if fitting > 0 else ""
        raise InvalidFile(
            f"{span} days of history are too few: {weeks} weeks to test and {DELAY_DAYS} days before them are needed. "
            f"Use a longer history{fewer}."
        )
    known = paired.labels & (days >= first_tested - DELAY_DAYS - TRAINING_DAYS)
    first_fraud = np.full(int(paired.customers.max()) + 1, _NEVER)
    np.minimum.at(first_fraud, paired.customers[known], days[known])
    blocked_from = np.where(first_fraud == _NEVER, _NEVER, first_fraud + DELAY_DAYS + 1)
    return paired.where((days >= first_tested) & (days < blocked_from[paired.customers]))


class _Columns(msgspec.Struct):
    customers: list[NDArray[np.int64]] = []
    event_times: list[NDArray[np.int64]] = []
    frauds: list[NDArray[np.bool_]] = []
    champion: list[NDArray[np.float64]] = []
    challenger: list[NDArray[np.float64]] = []


def _scored(
    source: HistorySource, fold: FeatureFold, models: tuple[Model, Model], on_progress: Callable[[int], None]
) -> Paired:
    columns, numbers, read = _Columns(), dict[str, int](), 0
    for part in fold_history(source, fold):
        batch, applied = part.batch, part.applied
        if batch.is_fraud is None:
            raise InvalidFile(
                f"{source.path} has no labels: a column for is_fraud, or a mapping that names it"
            )
        of_text = [numbers.setdefault(text, len(numbers)) for text in batch.customer_id.texts]
        columns.customers.append(np.array(of_text, np.int64)[batch.customer_id.codes[applied]])
        columns.event_times.append(batch.event_time[applied])
        columns.frauds.append(batch.is_fraud[applied])
        columns.champion.append(models[0].score(part.rows))
        columns.challenger.append(models[1].score(part.rows))
        read += len(batch)
        on_progress(read)
    if not read:
        raise InvalidFile(f"{source.path} holds no transactions")
    return Paired(
        **{name: np.concatenate(values) for name, values in msgspec.structs.asdict(columns).items()}
    )
