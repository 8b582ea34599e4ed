"""Computes digests of definitions. Two definitions that compute the same have the same digest; the order and the comments of a file do not count.

A digest covers what a value depends on: function, entity key, fields with type and decimals, filter and derivation in their
normal form, window, delay, and the digests of the features it is derived from. Units, meanings and bounds of fields are no
part of it, and neither is the name of the feature: a renamed feature computes the same.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from app.catalog.definitions import TRANSACTION, Catalog, Feature, Field
from app.expressions import printer
from app.expressions.names import Kind
from app.expressions.tree import Tree, named

FORM = 1
"""Version of the normal form: another one gives every definition another digest."""


Forms = Mapping[str, list[object]]


def feature_digests(catalog: Catalog) -> dict[str, str]:
    """The digest of each feature by name."""
    forms = {field.name: _of_field(field, catalog.reference_currency) for field in catalog.fields}
    keys = {entity.name: entity.key for entity in catalog.entities} | {TRANSACTION: ()}
    found: dict[str, str] = {}
    for feature in catalog.features:
        form = (
            _computed(feature, keys[feature.entity], forms)
            if feature.derive is None
            else _derived(feature.derive, forms, found)
        )
        found[feature.name] = _digest([FORM, form])
    return found


def catalog_digest(catalog: Catalog) -> str:
    """The digest of everything that a catalog defines. The order of its definitions is no part of it."""
    fields = sorted((field for field in catalog.fields if field.declared), key=lambda field: field.name)
    entities = sorted((entity.name, sorted(entity.key)) for entity in catalog.entities)
    features = sorted(feature_digests(catalog).items())
    return _digest([FORM, catalog.reference_currency, fields, entities, features])


def _of_field(field: Field, currency: str) -> list[object]:
    return [field.name, field.kind, field.decimals, currency if field.kind is Kind.MONEY else None]


def _computed(feature: Feature, key: Iterable[str], forms: Forms) -> list[object]:
    return [
        feature.function,
        [forms[name] for name in sorted(key)],
        feature.of and forms[feature.of],
        feature.where and [printer.text(feature.where), _used(feature.where, forms, {})],
        [forms[name] for name in feature.same],
        feature.window_ms,
        feature.delay_ms,
        feature.includes_current,
    ]


def _derived(tree: Tree, forms: Forms, digests: Mapping[str, str]) -> list[object]:
    return [printer.text(tree), _used(tree, forms, digests)]


def _used(tree: Tree, forms: Forms, digests: Mapping[str, str]) -> list[object]:
    """The forms of the fields in a tree, and the digests of the features."""
    return [forms[name] if name in forms else [name, digests[name]] for name in sorted(named(tree))]


def _digest(form: object) -> str:
    return sha256(msgspec.json.encode(form)).hexdigest()[:16]
