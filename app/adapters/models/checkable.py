"""The scoring code of a bundle's model: by a comparison with scikit-learn that was stored before, or by one that is made now."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import threadpoolctl

from app.adapters.models import backends, golden, skops_files
from app.adapters.models.backends import Backend
from app.adapters.models.comparisons import Comparison
from app.adapters.models.loading import Loading
from app.adapters.models.manifest import GOLDEN_FILE, MODEL_FILE, Manifest
from app.adapters.models.scorers import Contribute
from app.adapters.models.stored_forests import stored_forest
from app.domain.decision import ModelReference
from app.scoring.model import Rows, Scores


class Checkable(NamedTuple):
    """The scoring code of a bundle, and the golden rows to check it with."""

    backend: Backend
    contribute: Contribute
    golden_rows: Rows
    golden_scores: Scores


def compared_before(
    files: Mapping[str, bytes], reference: ModelReference, described: Manifest, loading: Loading
) -> Checkable | None:
    """The model in machine code alone; None without a valid comparison, see ``comparisons``."""
    if loading.comparisons is None or loading.compare_again:
        return None
    known = loading.comparisons.find(reference.digest, loading.backend)
    if known is None:
        return None
    forest = stored_forest(files[MODEL_FILE], len(described.features), loading.limits)
    if forest is None or not backends.same_scores(
        known.scores, forest.score(known.rows), described.thresholds
    ):
        return None
    backend = Backend(known.by_batch, known.micros, forest.score)
    golden_rows = known.rows[: len(known.golden_scores)]
    return Checkable(backend, forest.contributions, golden_rows, known.golden_scores)


def compared_now(
    files: Mapping[str, bytes],
    reference: ModelReference,
    described: Manifest,
    loading: Loading,
    path: Path,
) -> Checkable:
    rows, expected = golden.read(files[GOLDEN_FILE], path / GOLDEN_FILE, described.features, loading.limits)
    from app.adapters.models.estimators import scorers_of  # noqa: PLC0415  # scikit-learn takes a second to import

    threadpoolctl.threadpool_limits(1)  # again, for the thread pools loaded by scikit-learn
    scorers = scorers_of(skops_files.loads(files[MODEL_FILE], loading.limits), described.usual())
    backend = backends.choose(loading.backend, scorers, rows, described.thresholds)
    if loading.comparisons is not None and scorers.forest is not None and backend.score == scorers.compiled:
        stored = stored_forest(files[MODEL_FILE], len(described.features), loading.limits)
        if stored is not None and stored.equals(scorers.forest):
            compared = backends.compared_rows(scorers.own, rows, described.thresholds)
            made = Comparison(compared, scorers.own(compared), expected, backend.by_batch, backend.micros)
            loading.comparisons.store(reference.digest, loading.backend, made)
    return Checkable(backend, scorers.contributions, rows, expected)
