"""A model is bound to the features of a deployment by name and definition, wherever they stand in a row."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.adapters.models import bundles
from app.adapters.models.loading import UNSIGNED
from app.computation.feature_set import SHIPPED, FeatureSet
from app.errors import CatalogMismatch
from app.features import catalog
from app.features.catalog import Feature
from tests.unit.forgeries import redeclare
from tests.unit.small_bundle import BOOSTED, DESCRIBED, ROWS, saved

NAMES = catalog.NAMES
OWN = Feature("customer_shoe_size", "customer", "1", "a feature of the bank's own")
DEFINITIONS = {name: f"digest of {name}" for name in (*NAMES, OWN.name)}


def deployment(*names: str, as_shipped: bool = True) -> FeatureSet:
    """A deployment that computes these features, in this order."""
    known = {feature.name: feature for feature in (*catalog.FEATURES, OWN)}
    return FeatureSet(
        tuple(known[name] for name in names),
        {name: DEFINITIONS[name] for name in names},
        as_shipped=frozenset(NAMES) & frozenset(names) if as_shipped else frozenset(),
    )


def of_features(features: FeatureSet) -> np.ndarray:
    """The made-up rows as this deployment computes them."""
    own = np.full((len(ROWS), 1), 43.0)
    return np.hstack([ROWS, own])[:, [(*NAMES, OWN.name).index(name) for name in features.names]]


ANY_ORDER = deployment(OWN.name, *reversed(NAMES))


@pytest.fixture
def with_definitions(tmp_path: Path) -> Path:
    """A bundle that states the definitions of its features."""
    described = msgspec.structs.replace(DESCRIBED, definitions={name: DEFINITIONS[name] for name in NAMES})
    path = tmp_path / "small" / "1"
    bundles.save(path, described, BOOSTED, ROWS[:64], "")
    return path


@pytest.mark.parametrize("features", [SHIPPED, deployment(*NAMES), deployment(*NAMES, OWN.name), ANY_ORDER])
def test_a_bundle_of_this_release_scores_the_same_in_every_deployment_that_has_its_features(
    tmp_path: Path, features: FeatureSet
) -> None:
    path = saved(tmp_path)
    plain = bundles.load(path, UNSIGNED)
    bound = bundles.load(path, UNSIGNED._replace(features=features))
    rows = of_features(features)

    assert bound.score(rows).tolist() == plain.score(ROWS).tolist()
    expected, found = plain.contributions(ROWS[:50]), bound.contributions(rows[:50])
    assert expected is not None
    assert found is not None
    by_name = dict(zip(features.names, found.values.T.tolist(), strict=True))
    assert [by_name[name] for name in NAMES] == expected.values.T.tolist()
    assert OWN.name not in by_name or not any(by_name[OWN.name])


def test_a_bundle_with_definitions_is_bound_by_them(with_definitions: Path) -> None:
    bound = bundles.load(with_definitions, UNSIGNED._replace(features=ANY_ORDER))

    assert bound.score(of_features(ANY_ORDER)).tolist() == BOOSTED.predict_proba(ROWS)[:, 1].tolist()


def test_a_feature_that_the_deployment_lacks_is_named(with_definitions: Path) -> None:
    with pytest.raises(CatalogMismatch, match=f"takes the feature {NAMES[5]}, which the catalog does not"):
        bundles.load(with_definitions, UNSIGNED._replace(features=deployment(*NAMES[:5], *NAMES[6:])))


def test_a_feature_that_is_defined_otherwise_is_named(with_definitions: Path) -> None:
    features = deployment(*NAMES)
    changed = msgspec.structs.replace(features, definitions={**features.definitions, NAMES[7]: "another"})

    with pytest.raises(CatalogMismatch, match=f"another definition of {NAMES[7]} than"):
        bundles.load(with_definitions, UNSIGNED._replace(features=changed))


def test_a_bundle_of_this_release_needs_the_definitions_of_this_release(tmp_path: Path) -> None:
    features = deployment(*NAMES, as_shipped=False)

    with pytest.raises(CatalogMismatch, match=r"Copy its definition from the shipped catalog"):
        bundles.load(saved(tmp_path), UNSIGNED._replace(features=features))


@pytest.mark.parametrize("features", [[], [NAMES[0], NAMES[0]]])
def test_features_are_listed_once(tmp_path: Path, features: list[str]) -> None:
    path = saved(tmp_path)
    redeclare(path, features=features)

    with pytest.raises(CatalogMismatch, match="each once"):
        bundles.load(path, UNSIGNED)


def test_an_older_release_reads_the_manifest_of_a_bundle_without_definitions(tmp_path: Path) -> None:
    assert b"definitions" not in (saved(tmp_path) / "manifest.json").read_bytes()


def test_the_digest_of_a_deployment_tells_order_and_definitions() -> None:
    plain, other = deployment(*NAMES), deployment(*reversed(NAMES))
    changed = msgspec.structs.replace(plain, definitions={**plain.definitions, NAMES[7]: "another"})

    assert len({SHIPPED.digest, plain.digest, other.digest, changed.digest}) == 4
    assert SHIPPED.digest == catalog.DIGEST
