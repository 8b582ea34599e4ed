"""Loads, saves and signs model bundles, ``models/<name>/<version>/``. A bundle is checked completely or refused.

>>> model = champion(Path("models"), "", Loading.by(settings.model))            # doctest: +SKIP
>>> model.score(rows), model.reference, model.warnings
"""

import os
import shutil
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import threadpoolctl

from app.adapters.disk import durable_file
from app.adapters.library_errors import Translated
from app.adapters.models import golden, manifest, skops_files
from app.adapters.models.aliases import bundle_path, read_aliases
from app.adapters.models.backends import Backend
from app.adapters.models.binding import Binding, bind
from app.adapters.models.checkable import compared_before, compared_now
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.adapters.models.loading import UNSIGNED, Loading
from app.adapters.models.manifest import CARD_FILE, FILE_NAME, GOLDEN_FILE, MODEL_FILE, OTHER_FILES, Manifest
from app.adapters.models.scorers import Contribute
from app.computation.feature_set import SHIPPED
from app.domain.decision import ModelReference, Thresholds
from app.domain.words import named
from app.errors import BundleCorrupt, ModelRejected
from app.scoring.model import Contributions, Distribution, Rows, Scores

_GOLDEN_REPEATS = 8


class Bundle:
    """A loaded model that passed every check; implements app.scoring.model.Model."""

    def __init__(
        self,
        described: Manifest,
        reference: ModelReference,
        backend: Backend,
        contribute: Contribute,
        binding: Binding,
    ) -> None:
        self.manifest = described
        self.reference = reference
        self.warnings = (*_version_warnings(described), *filter(None, [backend.warning]))
        self.backend = backend
        self._contribute = contribute
        self._binding = binding

    @property
    def thresholds(self) -> Thresholds:
        return self.manifest.thresholds

    @property
    def distributions(self) -> dict[str, Distribution]:
        return self.manifest.distributions

    def score(self, rows: Rows) -> Scores:
        """Fraud probabilities, shape (rows,). ``rows`` are float64, C-contiguous, in the order of the deployment's features."""
        return self.backend.score(self._binding.taken(rows))

    def contributions(self, rows: Rows) -> Contributions | None:
        """The contribution of each feature to each score; None where this kind of model has none."""
        return self._binding.given_back(self._contribute(self._binding.taken(rows)))


def champion(models_dir: Path, override: str, loading: Loading) -> Bundle:
    """The model that decides: ``override`` (name/version), or the champion in aliases.toml.

    Raises ModelRejected or a subclass, which names the reason.
    """
    return load(bundle_path(models_dir, override or read_aliases(models_dir).champion), loading)


def load(path: Path, loading: Loading) -> Bundle:
    """The model at ``.../<name>/<version>``. Raises ModelRejected or a subclass, which names the reason."""
    bundle = _load(path, loading)
    name, version = path.resolve().parts[-2:]
    if (bundle.manifest.name, bundle.manifest.version) != (name, version):
        raise BundleCorrupt(
            f"{path} calls itself {bundle.manifest.name}/{bundle.manifest.version}: it was copied or renamed"
        )
    return bundle


def save(
    path: Path,
    described: Manifest,
    estimator: Any,
    golden_rows: Rows,
    card: str,
    limits: Limits = DEFAULT_LIMITS,
) -> Bundle:
    """Write a bundle to ``path`` atomically and durably, and load it, for rows of the model's own features.

    ``golden_rows`` have the columns of the model. Raises ModelRejected if ``path`` exists or a check fails.
    """
    if path.exists():
        raise ModelRejected(f"{path} exists. A version is never overwritten: choose another.")
    loading = UNSIGNED._replace(limits=limits, features=None if described.definitions else SHIPPED)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.mkdir()
    try:
        _write(unfinished, described, estimator, golden_rows, card)
        _load(unfinished, loading)
        durable_file.publish(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return load(path, loading)


def sign(path: Path, key_file: Path, limits: Limits = DEFAULT_LIMITS) -> ModelReference:
    """Sign a bundle, which must load. Raises ModelRejected, or ConfigurationError without a usable key."""
    from app.adapters.models import signatures  # noqa: PLC0415  # see described

    encoded = manifest.read(path, FILE_NAME)
    reference = load(path, UNSIGNED._replace(limits=limits)).reference
    if sha256(encoded).hexdigest() != reference.digest:
        raise ModelRejected(f"{path} was changed while it was checked")
    signatures.sign(path, encoded, key_file)
    return reference


def described(path: Path, loading: Loading) -> tuple[bytes, Manifest]:
    """The bytes of a bundle's manifest, and what they say once their signature is checked. Raises ModelRejected."""
    encoded = manifest.read(path, FILE_NAME)
    if loading.public_key_file:
        from app.adapters.models import signatures  # noqa: PLC0415  # cryptography is needed where a key is set

        signatures.check(path, encoded, Path(loading.public_key_file))
    return encoded, manifest.decode(encoded, path)


def _load(path: Path, loading: Loading) -> Bundle:
    encoded, content = described(path, loading)
    binding = bind(content, loading.features, path)
    files = manifest.read_files(content, path, loading.limits)
    manifest.check_library(content, path)
    # One core per worker: numerical libraries that start a thread per core would compete for it.
    threadpoolctl.threadpool_limits(1)
    reference = content.reference(encoded)
    with Translated(lambda error: _cannot_score(path, error), ModelRejected):
        backend, contribute, rows, expected = compared_before(
            files, reference, content, loading
        ) or compared_now(files, reference, content, loading, path)
        # Estimators may take different code paths for one row and for many: golden rows are checked both ways.
        together = backend.score(np.concatenate([rows] * _GOLDEN_REPEATS))[-len(rows) :]
        contribute(rows)  # compile now, not at the first alert
        singly = np.concatenate([backend.score(rows[i : i + 1]) for i in range(len(rows))])
        golden.check(together, expected, path)
        golden.check(singly, expected, path)
    return Bundle(content, reference, backend, contribute, binding)


def _cannot_score(path: Path, error: Exception) -> BundleCorrupt:
    """The parts of an estimator may contradict each other."""
    return BundleCorrupt(f"{path / MODEL_FILE} cannot score: {named(error)}. Train it again.")


def _write(path: Path, described: Manifest, estimator: Any, golden_rows: Rows, card: str) -> None:
    (path / CARD_FILE).write_text(card, encoding="utf-8")
    (path / MODEL_FILE).write_bytes(skops_files.dumps(estimator))
    scores = estimator.predict_proba(golden_rows)[:, 1]
    golden.write(path / GOLDEN_FILE, described.features, golden_rows, scores)
    digests = {name: sha256((path / name).read_bytes()).hexdigest() for name in OTHER_FILES}
    complete = msgspec.structs.replace(described, files=digests)
    (path / FILE_NAME).write_bytes(manifest.encode(complete))


def _version_warnings(described: Manifest) -> tuple[str, ...]:
    installed = version("scikit-learn")
    if described.sklearn == installed:
        return ()
    fitted = f"{described.name}/{described.version} was fitted with scikit-learn {described.sklearn}"
    return (f"{fitted}, this is {installed}; its golden rows give the same scores.",)
