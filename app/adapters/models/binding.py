"""Finds the features that a model takes among those that the deployment computes, by name and definition."""

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.computation.feature_set import FeatureSet
from app.errors import CatalogMismatch
from app.features import catalog
from app.scoring.model import Contributions, Rows


class Described(Protocol):
    """What a manifest says of the features of its model."""

    @property
    def catalog_version(self) -> int: ...
    @property
    def catalog_digest(self) -> str: ...
    @property
    def features(self) -> list[str]: ...
    @property
    def definitions(self) -> Mapping[str, str]: ...


class Binding:
    """The columns of a row that a model takes, in the model's order."""

    def __init__(self, columns: list[int], width: int) -> None:
        self._columns: NDArray[np.int64] = np.array(columns, np.int64)
        self._width = width
        self._whole = columns == list(range(width))

    def taken(self, rows: Rows) -> Rows:
        """The model's input, shape (rows, features of the model), from rows of the deployment."""
        return rows if self._whole else np.ascontiguousarray(rows[:, self._columns])

    def given_back(self, found: Contributions | None) -> Contributions | None:
        """Contributions in the order of the deployment; 0 for a feature that the model does not take."""
        if found is None or self._whole:
            return found
        values = np.zeros((len(found.values), self._width))
        values[:, self._columns] = found.values
        return found._replace(values=values)


def bind(model: Described, known: FeatureSet | None, path: Path) -> Binding:
    """Find the model's features among those of the deployment; None: rows have the model's own features.

    Raises CatalogMismatch for a feature that the deployment does not compute, or defines otherwise than the training did.
    """
    _require_distinct(model.features, path)
    if known is None:
        return Binding(list(range(len(model.features))), len(model.features))
    if model.definitions:
        _check_definitions(model, known, path)
    else:
        _check_release(model, known, path)
    return Binding([known.indexes[name] for name in model.features], known.width)


def _require_distinct(names: list[str], path: Path) -> None:
    if not names or len(set(names)) < len(names):
        raise CatalogMismatch(f"{path} must list features, each once. Train it again.")


def _check_definitions(model: Described, known: FeatureSet, path: Path) -> None:
    for name in model.features:
        if name not in known.indexes:
            raise CatalogMismatch(
                f"{path} takes the feature {name}, which the catalog does not define. Add its definition, or train a "
                "model with this catalog."
            )
        if model.definitions.get(name) != known.definitions.get(name):
            raise CatalogMismatch(
                f"{path} was trained on another definition of {name} than the catalog has. Give the new definition a "
                "name of its own, or train a model with this catalog."
            )


def _check_release(model: Described, known: FeatureSet, path: Path) -> None:
    """A bundle without definitions takes all features of the release that trained it, in their order."""
    if model.catalog_digest != catalog.DIGEST:
        raise CatalogMismatch(
            f"{path} was trained on catalog {model.catalog_digest} (version {model.catalog_version}), this "
            f"release computes {catalog.DIGEST} (version {catalog.VERSION}). Train a model with this release."
        )
    if tuple(model.features) != catalog.NAMES:
        pairs = enumerate(zip_longest(model.features, catalog.NAMES))
        at, (found, expected) = next((at, pair) for at, pair in pairs if pair[0] != pair[1])
        raise CatalogMismatch(
            f"{path} takes {found} for its feature {at}, the catalog has {expected} there. Train a model with this "
            "release."
        )
    for name in model.features:
        if name not in known.as_shipped:
            raise CatalogMismatch(
                f"{path} takes the feature {name} of this release, which the catalog does not define, or defines "
                "otherwise. Copy its definition from the shipped catalog, or train a model with this catalog."
            )
