"""The features that a deployment computes, in the order of a row: those of this release, or those of a catalog file."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.features import catalog
from app.features.catalog import Feature


class FeatureSet(msgspec.Struct, frozen=True, dict=True):
    """Features in the order of a row, and what identifies their definitions."""

    features: tuple[Feature, ...]
    definitions: Mapping[str, str] = {}
    """Digest of each feature's definition, by name. Empty for the features of this release, which ``catalog.DIGEST`` identifies."""
    as_shipped: frozenset[str] = frozenset()
    """Names of the features that are defined as the features of this release with these names."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @cached_property
    def indexes(self) -> Mapping[str, int]:
        """The column of each feature in a row."""
        return {name: index for index, name in enumerate(self.names)}

    @property
    def width(self) -> int:
        """Columns of a row."""
        return len(self.features)

    @cached_property
    def delayed(self) -> NDArray[np.int64]:
        """Columns of the delayed entities, which are NaN where the states of the entities cannot be read."""
        return np.flatnonzero([feature.delay_ms > 0 for feature in self.features])

    @cached_property
    def digest(self) -> str:
        """Identifies the features, their order and their definitions."""
        if self == SHIPPED:
            return catalog.DIGEST
        named = [(name, self.definitions[name]) for name in self.names]
        return sha256(msgspec.json.encode(named)).hexdigest()[:16]


SHIPPED = FeatureSet(catalog.FEATURES, as_shipped=frozenset(catalog.NAMES))
"""The features of this release."""
