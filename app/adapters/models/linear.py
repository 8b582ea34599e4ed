"""Contributions of the features to the score of a logistic regression."""

from typing import Any

import numpy as np

from app.domain.decision import Method
from app.scoring.model import Contributions, Rows, Scale


class Linear:
    """Contributions in log-odds: coefficient times distance from a usual row."""

    def __init__(self, regression: Any, usual: Rows) -> None:
        """``usual``, shape (1, columns), is the reference row in the columns of the regression."""
        self._coefficients = regression.coef_[0]
        # A column without a usual value is measured from zero; any reference gives contributions that sum to the score.
        self._usual = np.nan_to_num(usual)
        self._base = float(regression.intercept_[0] + (self._usual @ self._coefficients)[0])

    def contributions(self, rows: Rows) -> Contributions:
        """What each column of each row adds to the log-odds."""
        return Contributions(
            Method.LINEAR, Scale.LOG_ODDS, self._base, self._coefficients * (rows - self._usual)
        )
