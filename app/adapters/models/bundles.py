"""Loads, saves and signs model bundles, ``models/<name>/<version>/``. A bundle is checked completely or refused.

>>> model = champion(Path("models"))            # doctest: +SKIP
>>> model.score(rows), model.reference, model.warnings
"""

import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import threadpoolctl

from app.adapters.disk import durable_file
from app.adapters.models import backends, golden, manifest, skops_files
from app.adapters.models.aliases import bundle_path, read_aliases
from app.adapters.models.backends import Backend
from app.adapters.models.comparisons import Comparison, Comparisons
from app.adapters.models.manifest import CARD_FILE, FILE_NAME, GOLDEN_FILE, MODEL_FILE, OTHER_FILES, Manifest
from app.adapters.models.scorers import Contribute
from app.adapters.models.stored_forests import stored_forest
from app.domain.decision import ModelReference, Thresholds
from app.errors import BundleCorrupt, ModelRejected
from app.features.compiled import CODE_FOLDER
from app.scoring.model import Contributions, Distribution, Rows, Scores
from app.settings import ModelSettings

_UNUSABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an estimator raises whose parts are inconsistent."""

_GOLDEN_REPEATS = 8


class Loading(NamedTuple):
    """How bundles are loaded."""

    public_key_file: str = ""
    """Public key that must verify the signature; empty: no signature is required."""
    backend: backends.BackendChoice = "auto"
    """The back-end that scores the model."""
    comparisons: Comparisons | None = None
    """Where the comparison with scikit-learn is kept for the next time. None: it is made each time and not kept."""
    compare_again: bool = False
    """Make the comparison, whether there is one or not, and keep it."""

    @classmethod
    def by(cls, settings: ModelSettings) -> "Loading":
        """From the settings."""
        return cls(settings.public_key_file, settings.backend, Comparisons(CODE_FOLDER))


DEFAULT_LOADING = Loading()


class Bundle:
    """A loaded model that passed every check; implements app.scoring.model.Model."""

    def __init__(
        self, described: Manifest, reference: ModelReference, backend: Backend, contribute: Contribute
    ) -> None:
        self.manifest = described
        self.reference = reference
        self.warnings = (*_version_warnings(described), *filter(None, [backend.warning]))
        self.backend = backend
        self._contribute = contribute

    @property
    def thresholds(self) -> Thresholds:
        return self.manifest.thresholds

    @property
    def distributions(self) -> dict[str, Distribution]:
        return self.manifest.distributions

    def score(self, rows: Rows) -> Scores:
        """Fraud probabilities, shape (rows,). ``rows`` are float64, C-contiguous, in the order of the catalog."""
        return self.backend.score(rows)

    def contributions(self, rows: Rows) -> Contributions | None:
        """The contribution of each feature to each score; None where this kind of model has none."""
        return self._contribute(rows)


def champion(models_dir: Path, override: str = "", loading: Loading = DEFAULT_LOADING) -> Bundle:
    """The model that decides: ``override`` (name/version), or the champion in aliases.toml.

    Raises ModelRejected or a subclass, which names the reason.
    """
    return load(bundle_path(models_dir, override or read_aliases(models_dir).champion), loading)


def load(path: Path, loading: Loading = DEFAULT_LOADING) -> Bundle:
    """The model at ``.../<name>/<version>``. Raises ModelRejected or a subclass, which names the reason."""
    bundle = _load(path, loading)
    name, version = path.resolve().parts[-2:]
    if (bundle.manifest.name, bundle.manifest.version) != (name, version):
        raise BundleCorrupt(
            f"{path} calls itself {bundle.manifest.name}/{bundle.manifest.version}: it was copied or renamed"
        )
    return bundle


def save(path: Path, described: Manifest, estimator: Any, golden_rows: Rows, card: str) -> Bundle:
    """Write a bundle to ``path`` atomically and durably, and load it. Raises ModelRejected if ``path`` exists or a check fails."""
    if path.exists():
        raise ModelRejected(f"{path} exists. A version is never overwritten: choose another.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.mkdir()
    try:
        _write(unfinished, described, estimator, golden_rows, card)
        _load(unfinished, DEFAULT_LOADING)
        durable_file.publish(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return load(path)


def sign(path: Path, key_file: Path) -> ModelReference:
    """Sign a bundle, which must load. Raises ModelRejected, or ConfigurationError without a usable key."""
    from app.adapters.models import signatures  # noqa: PLC0415  # see _load

    encoded, reference = manifest.read(path, FILE_NAME), load(path).reference
    if sha256(encoded).hexdigest() != reference.digest:
        raise ModelRejected(f"{path} was changed while it was checked")
    signatures.sign(path, encoded, key_file)
    return reference


def _load(path: Path, loading: Loading) -> Bundle:
    encoded = manifest.read(path, FILE_NAME)
    if loading.public_key_file:
        from app.adapters.models import signatures  # noqa: PLC0415  # cryptography is needed where a key is set

        signatures.check(path, encoded, Path(loading.public_key_file))
    described = manifest.decode(encoded, path)
    files = manifest.read_files(described, path)
    manifest.check_catalog(described, path)
    manifest.check_library(described, path)
    # One core per worker: numerical libraries that start a thread per core would compete for it.
    threadpoolctl.threadpool_limits(1)
    reference = described.reference(encoded)
    try:
        backend, contribute, rows, expected = _compared_before(
            files, reference, described, loading
        ) or _compared_now(files, reference, described, loading, path)
        # Estimators may take different code paths for one row and for many: golden rows are checked both ways.
        together = backend.score(np.concatenate([rows] * _GOLDEN_REPEATS))[-len(rows) :]
        contribute(rows)  # compile now, not at the first alert
        singly = np.concatenate([backend.score(rows[i : i + 1]) for i in range(len(rows))])
    except _UNUSABLE as error:
        raise BundleCorrupt(
            f"{path / MODEL_FILE} cannot score: {type(error).__name__}. Train it again."
        ) from error
    golden.check(together, expected, path)
    golden.check(singly, expected, path)
    return Bundle(described, reference, backend, contribute)


class _Checkable(NamedTuple):
    """The scoring code of a bundle, and the golden rows to check it with."""

    backend: Backend
    contribute: Contribute
    golden_rows: Rows
    golden_scores: Scores


def _compared_before(
    files: Mapping[str, bytes], reference: ModelReference, described: Manifest, loading: Loading
) -> _Checkable | None:
    """The model in machine code alone; None without a valid comparison, see ``comparisons``."""
    if loading.comparisons is None or loading.compare_again:
        return None
    known = loading.comparisons.find(reference.digest, loading.backend)
    if known is None:
        return None
    forest = stored_forest(files[MODEL_FILE], len(described.features))
    if forest is None or not backends.same_scores(
        known.scores, forest.score(known.rows), described.thresholds
    ):
        return None
    backend = Backend(known.by_batch, known.micros, forest.score)
    golden_rows = known.rows[: len(known.golden_scores)]
    return _Checkable(backend, forest.contributions, golden_rows, known.golden_scores)


def _compared_now(
    files: Mapping[str, bytes],
    reference: ModelReference,
    described: Manifest,
    loading: Loading,
    path: Path,
) -> _Checkable:
    rows, expected = golden.read(files[GOLDEN_FILE], path / GOLDEN_FILE)
    from app.adapters.models.estimators import scorers_of  # noqa: PLC0415  # scikit-learn takes a second to import

    threadpoolctl.threadpool_limits(1)  # again, for the thread pools loaded by scikit-learn
    scorers = scorers_of(skops_files.loads(files[MODEL_FILE]), described.usual())
    backend = backends.choose(loading.backend, scorers, rows, described.thresholds)
    if loading.comparisons is not None and scorers.forest is not None and backend.score == scorers.compiled:
        stored = stored_forest(files[MODEL_FILE], len(described.features))
        if stored is not None and stored.equals(scorers.forest):
            compared = backends.compared_rows(scorers.own, rows, described.thresholds)
            made = Comparison(compared, scorers.own(compared), expected, backend.by_batch, backend.micros)
            loading.comparisons.store(reference.digest, loading.backend, made)
    return _Checkable(backend, scorers.contributions, rows, expected)


def _write(path: Path, described: Manifest, estimator: Any, golden_rows: Rows, card: str) -> None:
    (path / CARD_FILE).write_text(card, encoding="utf-8")
    (path / MODEL_FILE).write_bytes(skops_files.dumps(estimator))
    golden.write(path / GOLDEN_FILE, golden_rows, estimator.predict_proba(golden_rows)[:, 1])
    digests = {name: sha256((path / name).read_bytes()).hexdigest() for name in OTHER_FILES}
    complete = msgspec.structs.replace(described, files=digests)
    (path / FILE_NAME).write_bytes(manifest.encode(complete))


def _version_warnings(described: Manifest) -> tuple[str, ...]:
    installed = version("scikit-learn")
    if described.sklearn == installed:
        return ()
    fitted = f"{described.name}/{described.version} was fitted with scikit-learn {described.sklearn}"
    return (f"{fitted}, this is {installed}; its golden rows give the same scores.",)
