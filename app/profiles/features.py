"""All features of a plan for chunks of events: windowed, current and derived."""

from collections.abc import Sequence
from typing import NamedTuple

from app.expressions.vector.columns import Chunk
from app.features.fold import Folded
from app.features.window import Bounds
from app.profiles.aggregates import Integers
from app.profiles.current import Events, current_columns
from app.profiles.fold import Inputs, fold
from app.profiles.inputs import Arrivals, Reader
from app.profiles.plan import Plan


class Prepared(NamedTuple):
    """A chunk of events, ready to be folded."""

    chunk: Chunk
    time_ms: Integers
    inputs: Inputs


class Features:
    """Folds chunks of fields by one plan. Chunks have the fields of the catalog, in its order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._reader = Reader(plan)
        self._current = current_columns(plan)

    def prepare(self, chunk: Chunk, arrivals: Arrivals) -> Prepared:
        """Compute all that needs no profile: numbers, digests and filters."""
        return Prepared(chunk, arrivals.time_ms, self._reader.inputs(chunk, arrivals))

    def fold(
        self, profiles: Sequence[bytes], prepared: Prepared, bounds: Bounds, topic_id: int = 0
    ) -> Folded:
        """Fold a chunk into the profiles of its customers, as ``fold.fold`` does, and compute every feature of the plan."""
        folded = fold(self.plan, profiles, prepared.inputs, bounds, topic_id)
        known = dict(zip(self.plan.names, folded.features.T, strict=True))
        for index, column in self._current:
            folded.features[:, index] = column(Events(prepared.chunk, prepared.time_ms, known))
        return folded
