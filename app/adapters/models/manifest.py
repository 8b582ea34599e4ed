"""What a bundle says about itself: ``manifest.json``. The digest of a model is the sha256 of these bytes."""

from hashlib import sha256
from importlib.metadata import version
from itertools import zip_longest
from math import nan
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from app.domain.decision import ModelReference, Thresholds
from app.errors import BundleCorrupt, CatalogMismatch, LibraryMismatch
from app.features import catalog
from app.scoring.model import Distribution, Rows
from app.settings import ProfileSettings

FILE_NAME = "manifest.json"
MODEL_FILE, GOLDEN_FILE, CARD_FILE = "model.skops", "golden.parquet", "CARD.md"
OTHER_FILES = (CARD_FILE, GOLDEN_FILE, MODEL_FILE)

Name = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class TrainingWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The rows the model was fitted on."""

    first_event_time: int
    last_event_time: int
    rows: int
    frauds: int


class ProfileBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the profiles that gave the features; a worker must run with the same."""

    allowed_lateness_seconds: int
    max_events: int

    def warnings(self, running: ProfileSettings) -> list[str]:
        """How the settings in force differ: other bounds give other features than the model was trained on."""
        return [
            f"The model was trained with FRAUDSTREAM_PROFILE_{name.upper()}={getattr(self, name)}, "
            f"this runs with {getattr(running, name)}."
            for name in self.__struct_fields__
            if getattr(self, name) != getattr(running, name)
        ]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything known about a model besides its parameters."""

    name: Name
    version: Name
    created: Day
    """Given by whoever trained it, not read from a clock: the same training gives the same bundle."""
    files: dict[str, Sha256] = {}
    """sha256 of every other file of the bundle."""
    sklearn: str
    """Version of scikit-learn that fitted the model."""
    catalog_version: int
    catalog_digest: str
    features: list[str]
    """In the order of the model's columns."""
    thresholds: Thresholds
    training: TrainingWindow
    profile: ProfileBounds
    metrics: dict[str, float | None]
    """Measured on transactions after the training window and its delay; None where it is not defined."""
    distributions: dict[str, Distribution]
    """Of each feature in the training rows."""
    scores: Distribution
    """Of the model's scores of the training rows."""

    def usual(self) -> Rows:
        """One row: of each feature the median of legitimate transactions, NaN where none has it."""
        medians = [
            self.distributions[name].median if name in self.distributions else None for name in self.features
        ]
        return np.array([[nan if median is None else median for median in medians]])

    def reference(self, encoded: bytes) -> ModelReference:
        """The identity that decisions carry; ``encoded`` are this manifest's bytes as they were stored."""
        return ModelReference(name=self.name, version=self.version, digest=sha256(encoded).hexdigest())


def encode(manifest: Manifest) -> bytes:
    """The manifest's bytes; equal manifests give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(data: bytes, path: Path) -> Manifest:
    """The manifest read from ``path``. Raises BundleCorrupt."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BundleCorrupt(f"{path / FILE_NAME} is no manifest: {error}. Restore the bundle.") from error


def read_files(manifest: Manifest, path: Path) -> dict[str, bytes]:
    """Every other file, read once: what was checked is what is used.

    Raises BundleCorrupt unless each is there with the bytes it was saved with.
    """
    if set(manifest.files) != set(OTHER_FILES):
        raise BundleCorrupt(f"{path / FILE_NAME} must list exactly {', '.join(OTHER_FILES)}")
    found = {name: read(path, name) for name in manifest.files}
    for name, expected in manifest.files.items():
        if sha256(found[name]).hexdigest() != expected:
            raise BundleCorrupt(f"{path / name} was altered: its sha256 is not the manifest's. Restore it.")
    return found


def check_catalog(manifest: Manifest, path: Path) -> None:
    """Raise CatalogMismatch unless the model was trained on this release's features."""
    if manifest.catalog_digest != catalog.DIGEST:
        raise CatalogMismatch(
            f"{path} was trained on catalog {manifest.catalog_digest} (version {manifest.catalog_version}), this "
            f"release computes {catalog.DIGEST} (version {catalog.VERSION}). Train a model with this release."
        )
    if tuple(manifest.features) != catalog.NAMES:
        pairs = enumerate(zip_longest(manifest.features, catalog.NAMES))
        at, (found, expected) = next((at, pair) for at, pair in pairs if pair[0] != pair[1])
        raise CatalogMismatch(
            f"{path} takes {found} for its feature {at}, the catalog has {expected} there. Train a model with this "
            "release."
        )


def check_library(manifest: Manifest, path: Path) -> None:
    """Raise LibraryMismatch unless the model was fitted with this release of scikit-learn; patches may differ.

    What a fitted model holds changes from release to release. Golden rows would show that for some rows only.
    """
    installed = version("scikit-learn")
    if _release(manifest.sklearn) != _release(installed):
        raise LibraryMismatch(
            f"{path} was fitted with scikit-learn {manifest.sklearn}, this is {installed}. "
            "Train it again with this release, or install that one."
        )


def _release(version: str) -> list[str]:
    return version.split(".")[:2]


def read(path: Path, name: str) -> bytes:
    """The bytes of one file of the bundle at ``path``. Raises BundleCorrupt."""
    try:
        return (path / name).read_bytes()
    except OSError as error:
        raise BundleCorrupt(f"{path / name} cannot be read: {error.strerror}. Restore the bundle.") from error
