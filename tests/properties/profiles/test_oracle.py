"""The features of random catalogs, for random histories, equal those that DuckDB computes from the definitions."""

import numpy as np
from hypothesis import given

from app.catalog.definitions import Catalog
from app.profiles.features import Features
from app.profiles.plan import plan
from tests.support.catalogs import duckdb_oracle
from tests.support.catalogs.history import Event, folded, histories
from tests.support.catalogs.random_catalogs import catalogs


@given(catalogs(), histories())
def test_every_value_equals_that_of_duckdb(catalog: Catalog, events: list[Event]) -> None:
    found = folded(Features(plan(catalog)), events, [b"", b""]).features

    expected = np.array(duckdb_oracle.compute(catalog, events))

    different = np.argwhere((found != expected) & ~(np.isnan(found) & np.isnan(expected)))
    assert [
        (catalog.features[column], events[row], found[row, column], expected[row, column])
        for row, column in different[:1]
    ] == []
