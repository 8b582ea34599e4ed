"""Model bundles: ``models/<name>/<version>/``, whole and checked, or refused for a reason that has a name.

>>> model = champion(Path("models"))            # doctest: +SKIP
>>> model.score(rows), model.reference, model.warnings
"""

import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import sklearn
import threadpoolctl

from app.adapters import golden, manifest, skops_files
from app.adapters.aliases import bundle_path, read_aliases
from app.adapters.estimators import Judgement, judgement
from app.adapters.manifest import CARD_FILE, FILE_NAME, GOLDEN_FILE, MODEL_FILE, OTHER_FILES, Manifest
from app.domain.decision import ModelReference, Thresholds
from app.errors import BundleCorrupt, ModelRejected
from app.scoring.model import Contributions, Distribution, Rows, Scores

_UNUSABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an estimator raises whose parts do not fit together."""

_GOLDEN_REPEATS = 8


class Bundle:
    """A loaded model that passed every check; implements app.scoring.model.Model."""

    def __init__(self, described: Manifest, reference: ModelReference, judged: Judgement) -> None:
        self.manifest = described
        self.reference = reference
        self.warnings = _version_warnings(described)
        self._judged = judged

    @property
    def thresholds(self) -> Thresholds:
        return self.manifest.thresholds

    @property
    def distributions(self) -> dict[str, Distribution]:
        return self.manifest.distributions

    def score(self, rows: Rows) -> Scores:
        """Probabilities of fraud; ``rows`` are float64, C-contiguous, in the catalog's order."""
        return self._judged.score(rows)

    def contributions(self, rows: Rows) -> Contributions | None:
        """What each feature had to do with the scores; None where the model's kind does not tell."""
        return self._judged.contributions(rows)


def champion(models_dir: Path, override: str = "") -> Bundle:
    """The model that decides: ``override`` (name/version), or the champion of aliases.toml.

    Raises ModelRejected or one of its kinds.
    """
    return load(bundle_path(models_dir, override or read_aliases(models_dir).champion))


def load(path: Path) -> Bundle:
    """The model at ``.../<name>/<version>``. Raises BundleCorrupt, CatalogMismatch or GoldenRowMismatch."""
    bundle = _load(path)
    name, version = path.resolve().parts[-2:]
    if (bundle.manifest.name, bundle.manifest.version) != (name, version):
        raise BundleCorrupt(
            f"{path} calls itself {bundle.manifest.name}/{bundle.manifest.version}: it was copied or renamed"
        )
    return bundle


def save(path: Path, described: Manifest, estimator: Any, golden_rows: Rows, card: str) -> Bundle:
    """Write a bundle to ``path``, whole or not at all, and load it. Raises ModelRejected if there is one."""
    if path.exists():
        raise ModelRejected(f"{path} exists. A version is never overwritten: choose another.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.mkdir()
    try:
        _write(unfinished, described, estimator, golden_rows, card)
        _load(unfinished)
        unfinished.rename(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return load(path)


def _load(path: Path) -> Bundle:
    encoded = manifest.read(path, FILE_NAME)
    described = manifest.decode(encoded, path)
    manifest.check_files(described, path)
    manifest.check_catalog(described, path)
    rows, expected = golden.read(manifest.read(path, GOLDEN_FILE), path / GOLDEN_FILE)
    # One core per worker: numerical libraries that start a thread for each core would fight over them.
    threadpoolctl.threadpool_limits(1)
    estimator = skops_files.loads(manifest.read(path, MODEL_FILE))
    try:
        judged = judgement(estimator, described.usual())
        # A small and a large chunk may take different ways through an estimator: both are held against them.
        together = judged.score(np.concatenate([rows] * _GOLDEN_REPEATS))[-len(rows) :]
        singly = np.concatenate([judged.score(rows[i : i + 1]) for i in range(len(rows))])
    except _UNUSABLE as error:
        raise BundleCorrupt(
            f"{path / MODEL_FILE} cannot score: {type(error).__name__}. Train it again."
        ) from error
    golden.check(together, expected, path)
    golden.check(singly, expected, path)
    return Bundle(described, described.reference(encoded), judged)


def _write(path: Path, described: Manifest, estimator: Any, golden_rows: Rows, card: str) -> None:
    (path / CARD_FILE).write_text(card, encoding="utf-8")
    (path / MODEL_FILE).write_bytes(skops_files.dumps(estimator))
    golden.write(path / GOLDEN_FILE, golden_rows, estimator.predict_proba(golden_rows)[:, 1])
    digests = {name: sha256((path / name).read_bytes()).hexdigest() for name in OTHER_FILES}
    complete = msgspec.structs.replace(described, files=digests)
    (path / FILE_NAME).write_bytes(manifest.encode(complete))


def _version_warnings(described: Manifest) -> tuple[str, ...]:
    if described.sklearn == sklearn.__version__:
        return ()
    told = f"{described.name}/{described.version} was fitted with scikit-learn {described.sklearn}"
    return (f"{told}, this is {sklearn.__version__}; its golden rows score as they did.",)
