"""The challenger: a model that scores in shadow, without effect on decisions and within a time budget."""

from typing import NamedTuple

from app.domain.control import model_id
from app.scoring.isolation import Clock, attempt
from app.scoring.model import Model, Rows, Scores

MOST_FAILURES = 3
"""Failed calls in a row until suspension."""
MOST_OVERRUNS = 10
"""Calls in a row that exceed the budget until suspension; a single one may be due to the machine."""


class Tally(NamedTuple):
    """Number of transactions by result."""

    scored: int = 0
    failed: int = 0
    skipped: int = 0
    """Not scored, to stay within the budget or because the challenger is suspended."""


class Challenger:
    """Scores chunks within a budget of ``budget_seconds`` per chunk.

    A call that takes longer leaves a debt, and chunks are skipped until their budgets have covered it. So all calls
    together never take longer than the budgets of all chunks plus the longest call.
    """

    def __init__(self, model: Model, budget_seconds: float, clock: Clock) -> None:
        self.model = model
        self.name = model_id(model.reference)
        self.tally = Tally()
        self.suspended = ""
        """Why it was suspended; empty while it is called."""
        self._budget_seconds = budget_seconds
        self._clock = clock
        self._debt_seconds = 0.0
        self._failures = 0
        self._overruns = 0

    def score(self, rows: Rows) -> Scores | None:
        """Return the scores of a chunk, or None if it was skipped or failed. Never raises."""
        if self.suspended or self._debt_seconds >= self._budget_seconds:
            self._debt_seconds = max(0.0, self._debt_seconds - self._budget_seconds)
            self.tally = self.tally._replace(skipped=self.tally.skipped + len(rows))
            return None
        found = attempt(self.model, rows, self._clock)
        self._pay(found.seconds)
        if found.scores is None:
            self._fail(found.error, len(rows))
            return None
        self._failures = 0
        self.tally = self.tally._replace(scored=self.tally.scored + len(rows))
        return found.scores

    def _pay(self, seconds: float) -> None:
        self._debt_seconds = max(0.0, self._debt_seconds + seconds - self._budget_seconds)
        self._overruns = self._overruns + 1 if seconds > self._budget_seconds else 0
        if self._overruns >= MOST_OVERRUNS:
            self.suspended = f"took longer than {self._budget_seconds * 1000:g} ms for a chunk, {MOST_OVERRUNS} times in a row"

    def _fail(self, error: str, rows: int) -> None:
        self._failures += 1
        self.tally = self.tally._replace(failed=self.tally.failed + rows)
        if self._failures >= MOST_FAILURES:
            self.suspended = f"failed {MOST_FAILURES} times in a row, last with {error}"
