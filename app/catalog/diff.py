"""The differences of two catalogs, and what each means for the state that workers keep."""

from collections.abc import Iterator, Mapping

import msgspec

from app.catalog import wording
from app.catalog.definitions import Catalog
from app.catalog.digest import feature_digests
from app.catalog.kept_state import Needs, lacking, needs, reach_ms, union
from app.checking.differences import DefinitionDifference, Facts, compared


class Difference(DefinitionDifference, frozen=True, kw_only=True):
    """A difference with what it means for the state."""

    lacks: tuple[str, ...] = ()
    """What a feature of the new catalog needs, and the state of the old one does not keep."""
    log_ms: int = 0
    """Age of the oldest transaction that must be read from the log again for the feature; 0 where the state has all."""


def differences(old: Catalog, new: Catalog) -> list[Difference]:
    """The differences, in the order of the new catalog; what is removed comes last of its kind."""
    before, after = ({"reference_currency": each.reference_currency} for each in (old, new))
    return [
        *_compared("catalog", {new.name: before}, {new.name: after}),
        *_compared("field", _field_facts(old), _field_facts(new)),
        *_compared("entity", _entity_facts(old), _entity_facts(new)),
        *_features(old, new),
    ]


def _field_facts(catalog: Catalog) -> dict[str, Facts]:
    return {field.name: wording.of_field(field) for field in catalog.fields if field.declared}


def _entity_facts(catalog: Catalog) -> dict[str, Facts]:
    return {entity.name: {"key": " and ".join(entity.key)} for entity in catalog.entities}


def _feature_facts(catalog: Catalog) -> dict[str, Facts]:
    """With the digest: it differs where a field or feature below a definition does."""
    digests = feature_digests(catalog)
    return {
        each.name: {
            "entity": each.entity,
            "definition": wording.definition(each),
            "unit": each.unit,
            "meaning": each.meaning,
            "digest": digests[each.name],
        }
        for each in catalog.features
    }


def _features(old: Catalog, new: Catalog) -> Iterator[Difference]:
    needed, kept = needs(new), union(needs(old).values())
    before, after = _feature_facts(old), _feature_facts(new)
    digests, old_digests = feature_digests(new), feature_digests(old)
    names = {digest: name for name, digest in old_digests.items() if name not in after}
    for each in _compared("feature", before, after):
        is_same = digests.get(each.name) == old_digests.get(each.name)
        if each.how == "removed" or is_same:
            yield each
        else:
            yield _with_state(each, needed[each.name], kept, names.get(digests[each.name]))


def _with_state(found: Difference, needed: Needs, kept: Needs, older_name: str | None) -> Difference:
    """The difference with what it means for the state, and the older name of a feature that is only renamed."""
    details = (
        (*found.details, f"computes the same as {older_name}, which is removed")
        if older_name
        else found.details
    )
    lacks = tuple(lacking(needed, kept))
    return msgspec.structs.replace(
        found, details=details, lacks=lacks, log_ms=reach_ms(needed) if lacks else 0
    )


def _compared(what: str, before: Mapping[str, Facts], after: Mapping[str, Facts]) -> Iterator[Difference]:
    return (Difference(**msgspec.structs.asdict(each)) for each in compared(what, before, after))
