"""Catalogs and their differences as lines for people, and as values for JSON."""

from collections.abc import Iterator

import msgspec

from app.catalog import durations, wording
from app.catalog.definitions import Catalog, Feature, Field
from app.catalog.diff import Difference
from app.catalog.digest import catalog_digest, feature_digests
from app.expressions import printer

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_WIDTH = 20


def summary(catalog: Catalog) -> str:
    """What a catalog has, in one line."""
    declared = sum(field.declared for field in catalog.fields)
    counts = f"{len(catalog.features)} features, {len(catalog.entities)} entities, {declared} declared fields"
    return f"{counts}, amounts in {catalog.reference_currency}, digest {catalog_digest(catalog)}"


def catalog_lines(catalog: Catalog) -> Iterator[str]:
    """Everything that a catalog defines."""
    yield f"{catalog.name}: {summary(catalog)}"
    yield from ("", "Fields")
    for field in catalog.fields:
        yield f"    {field.name:{_WIDTH}} {_field(field)}"
    yield from ("", "Entities")
    for entity in catalog.entities:
        yield f"    {entity.name:{_WIDTH}} {' and '.join(entity.key)}"
    yield from ("", "Features")
    digests = feature_digests(catalog)
    for feature in catalog.features:
        yield from _feature(feature, digests[feature.name])


def catalog_facts(catalog: Catalog) -> dict[str, object]:
    """Everything that a catalog defines, for JSON."""
    digests = feature_digests(catalog)
    return {
        "name": catalog.name,
        "digest": catalog_digest(catalog),
        "reference_currency": catalog.reference_currency,
        "fields": msgspec.to_builtins(catalog.fields),
        "entities": msgspec.to_builtins(catalog.entities),
        "features": [_feature_facts(feature, digests[feature.name]) for feature in catalog.features],
    }


def difference_lines(found: Difference) -> Iterator[str]:
    """A difference, its details, and what it means for state and models."""
    yield f"{_SIGNS[found.how]} {found.what} {found.name}"
    yield from (
        f"    {each}" for each in (found.details if found.how == "changed" else ["; ".join(found.details)])
    )
    if found.what != "feature":
        return
    if found.how == "removed":
        yield "    => models that use it can no longer be served"
    elif found.log_ms:
        yield f"    => needs the log of the last {durations.text(found.log_ms)}; state lacks {', '.join(found.lacks)}"
    else:
        yield "    => needs nothing that state does not keep"


def _field(field: Field) -> str:
    origin = "declared" if field.declared else "contract"
    facts = {key: value for key, value in wording.of_field(field).items() if value}
    kind, required = facts.pop("type"), facts.pop("required") == "true"
    rest = [f"{key} {value}" for key, value in facts.items()]
    return ", ".join([f"{kind:{_WIDTH // 2}} {origin}", *["required"] * required, *rest])


def _feature(feature: Feature, digest: str) -> Iterator[str]:
    yield f"    {feature.name}"
    yield f"        {feature.entity}: {wording.definition(feature)}"
    yield f"        {feature.meaning}"
    yield f"        unit: {feature.unit}; missing: {feature.missing}; digest: {digest}"


def _feature_facts(feature: Feature, digest: str) -> dict[str, object]:
    """A feature, its conditions in their normal form."""
    return {
        "name": feature.name,
        "entity": feature.entity,
        "definition": wording.definition(feature),
        "function": feature.function,
        "of": feature.of,
        "where": feature.where and printer.text(feature.where),
        "same": feature.same,
        "includes_current": feature.includes_current,
        "derive": feature.derive and printer.text(feature.derive),
        "window_ms": feature.window_ms,
        "delay_ms": feature.delay_ms,
        "unit": feature.unit,
        "meaning": feature.meaning,
        "missing": feature.missing,
        "digest": digest,
    }
