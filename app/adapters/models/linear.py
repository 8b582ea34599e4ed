"""What each feature had to do with the score of a logistic regression."""

from typing import Any

import numpy as np

from app.domain.decision import Method
from app.scoring.model import Contributions, Rows, Scale


class Linear:
    """Coefficient times distance from the usual row: on the scale of log-odds."""

    def __init__(self, regression: Any, usual: Rows) -> None:
        """``usual`` is one row as the regression sees it: of each column the value that others are held against."""
        self._coefficients = regression.coef_[0]
        # Where no value is usual the regression is held against zero, which it is as true for.
        self._usual = np.nan_to_num(usual)
        self._base = float(regression.intercept_[0] + (self._usual @ self._coefficients)[0])

    def contributions(self, rows: Rows) -> Contributions:
        """What each column of each row added to the log-odds."""
        return Contributions(
            Method.LINEAR, Scale.LOG_ODDS, self._base, self._coefficients * (rows - self._usual)
        )
