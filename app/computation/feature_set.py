"""The features that a deployment computes, in the order of a row: those of this release, or those of a catalog file."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from math import isnan

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.decision import FeatureState, FeatureValue
from app.features import catalog
from app.features.catalog import Coverage, Feature
from app.features.entities import ENTITIES
from app.features.window import NEVER_MS


class FeatureSet(msgspec.Struct, frozen=True, dict=True):
    """Features in the order of a row, and what identifies their definitions."""

    features: tuple[Feature, ...]
    definitions: Mapping[str, str] = {}
    """Digest of each feature's definition, by name. Empty for the features of this release, which ``catalog.DIGEST`` identifies."""
    entities: tuple[str, ...] = ()
    """Names of the delayed entities, in the order of their coverage."""
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
    def owners(self) -> tuple[int, ...]:
        """For each feature: index of its owner in the coverage of a transaction, the customer's profile first."""
        return tuple(
            1 + self.entities.index(feature.entity) if feature.delay_ms else 0 for feature in self.features
        )

    @property
    def unread(self) -> tuple[Coverage, ...]:
        """Of each delayed entity, where its state could not be read: its features are NaN."""
        return (Coverage(NEVER_MS, NEVER_MS),) * len(self.entities)

    def snapshot(
        self, values: Sequence[float], event_time_ms: int, coverage: Sequence[Coverage]
    ) -> dict[str, FeatureValue]:
        """Return every feature with its value and state; ``values`` are in the order of a row.

        ``coverage`` has one entry for the profile and one for each delayed entity, in this order.
        """
        return {
            feature.name: FeatureValue(
                value=None if isnan(value) else value,
                state=_state(feature, value, event_time_ms, coverage[owner]),
            )
            for feature, value, owner in zip(self.features, values, self.owners, strict=True)
        }

    @cached_property
    def digest(self) -> str:
        """Identifies the features, their order and their definitions."""
        if self == SHIPPED:
            return catalog.DIGEST
        named = [(name, self.definitions[name]) for name in self.names]
        return sha256(msgspec.json.encode(named)).hexdigest()[:16]


def _state(feature: Feature, value: float, time_ms: int, coverage: Coverage) -> FeatureState:
    if isnan(value):
        return FeatureState.ABSENT
    if feature.window_ms and coverage.evicted_ms > feature.start_ms(time_ms):
        return FeatureState.SATURATED
    if feature.window_ms and coverage.first_seen_ms > feature.start_ms(time_ms):
        return FeatureState.WARMING_UP
    return FeatureState.FRESH


SHIPPED = FeatureSet(
    catalog.FEATURES,
    entities=tuple(entity.name for entity in ENTITIES),
    as_shipped=frozenset(catalog.NAMES),
)
"""The features of this release."""
