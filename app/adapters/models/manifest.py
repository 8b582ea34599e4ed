"""The manifest of a bundle, ``manifest.json``. The sha256 of its bytes is the digest of the model."""

from hashlib import sha256
from importlib.metadata import version
from math import nan
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from app.adapters.models.checks import bounded_file
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.domain.bounded import ModelName
from app.domain.decision import ModelReference, Thresholds
from app.errors import BundleCorrupt, LibraryMismatch
from app.scoring.model import Distribution, Rows
from app.settings import ProfileSettings

FILE_NAME = "manifest.json"
MODEL_FILE, GOLDEN_FILE, CARD_FILE = "model.skops", "golden.parquet", "CARD.md"
OTHER_FILES = (CARD_FILE, GOLDEN_FILE, MODEL_FILE)

MOST_BYTES = 1024 * 1024
"""Size of the manifest, of the card, and of the golden file besides its rows. A manifest has 30 kB."""

Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class TrainingWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that the model was fitted on; times in ms since the epoch."""

    first_event_time: int
    last_event_time: int
    rows: int
    frauds: int


class ProfileBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The profile settings that the features were computed with; a worker must run with the same."""

    allowed_lateness_seconds: int
    max_events: int

    def warnings(self, running: ProfileSettings) -> list[str]:
        """A warning for each setting that differs: other bounds give other features than those of the training."""
        return [
            f"The model was trained with FRAUDSTREAM_PROFILE_{name.upper()}={getattr(self, name)}, "
            f"this runs with {getattr(running, name)}."
            for name in self.__struct_fields__
            if getattr(self, name) != getattr(running, name)
        ]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The description of a model."""

    name: ModelName
    version: ModelName
    created: Day
    """An option of the training, not the clock: equal trainings give equal bundles."""
    files: dict[str, Sha256] = {}
    """sha256 of every other file of the bundle, by name."""
    sklearn: str
    """The version of scikit-learn that fitted the model."""
    catalog_version: int
    catalog_digest: str
    features: list[str]
    """Names of the features in the order of the model's columns."""
    definitions: dict[str, str] = {}
    """Digest of each feature's definition, by name. Empty for a model that takes the features of this release."""
    thresholds: Thresholds
    training: TrainingWindow
    profile: ProfileBounds
    metrics: dict[str, float | None]
    """Measured on transactions after the training window and its label delay; None where a metric is undefined."""
    distributions: dict[str, Distribution]
    """Distribution of each feature in the training rows."""
    scores: Distribution
    """Distribution of the model's scores of the training rows."""

    def usual(self) -> Rows:
        """The reference row, shape (1, features): medians of legitimate transactions, NaN where there is none."""
        medians = [
            self.distributions[name].median if name in self.distributions else None for name in self.features
        ]
        return np.array([[nan if median is None else median for median in medians]])

    def reference(self, encoded: bytes) -> ModelReference:
        """The model reference in decisions; ``encoded`` are the stored bytes of this manifest."""
        return ModelReference(name=self.name, version=self.version, digest=sha256(encoded).hexdigest())


def encode(manifest: Manifest) -> bytes:
    """The manifest's bytes; equal manifests give equal bytes."""
    content = msgspec.to_builtins(manifest)
    if not manifest.definitions:  # an older release refuses a key that it does not know
        del content["definitions"]
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def decode(data: bytes, path: Path) -> Manifest:
    """The manifest read from ``path``. Raises BundleCorrupt."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # a ValueError is no UTF-8
        raise BundleCorrupt(f"{path / FILE_NAME} is not a manifest: {error}. Restore the bundle.") from error


def read_files(manifest: Manifest, path: Path, limits: Limits) -> dict[str, bytes]:
    """The content of every other file by name. Each is read once, so that the checked bytes are the used bytes.

    Raises BundleCorrupt when a file is missing or too large, or its sha256 differs.
    """
    if set(manifest.files) != set(OTHER_FILES):
        raise BundleCorrupt(f"{path / FILE_NAME} must list exactly {', '.join(OTHER_FILES)}")
    found = {name: read(path, name, limits, len(manifest.features)) for name in manifest.files}
    for name, expected in manifest.files.items():
        if sha256(found[name]).hexdigest() != expected:
            raise BundleCorrupt(f"{path / name} was altered: its sha256 is not the manifest's. Restore it.")
    return found


def check_library(manifest: Manifest, path: Path) -> None:
    """Raise LibraryMismatch unless the model was fitted with the installed minor release of scikit-learn.

    The attributes of fitted models change between minor releases, and golden rows show the effect on some rows only.
    """
    installed = version("scikit-learn")
    if _release(manifest.sklearn) != _release(installed):
        raise LibraryMismatch(
            f"{path} was fitted with scikit-learn {manifest.sklearn}, this is {installed}. "
            "Train it again with this release, or install that one."
        )


def _release(version: str) -> list[str]:
    return version.split(".")[:2]


def read(path: Path, name: str, limits: Limits = DEFAULT_LIMITS, features: int = 0) -> bytes:
    """The bytes of one file of the bundle at ``path``, whose model takes so many features. Raises BundleCorrupt."""
    most = limits.bundle_bytes if name == MODEL_FILE else MOST_BYTES
    if name == GOLDEN_FILE:
        most += 2 * limits.golden_rows * (features + 1) * np.dtype(np.float64).itemsize
    try:
        return bounded_file.read(path / name, most)
    except OSError as error:
        raise BundleCorrupt(f"{path / name} cannot be read: {error.strerror}. Restore the bundle.") from error
