"""What a deployment computes, by the name of its catalog. Without a name, what reads catalogs is not imported."""

from functools import cache
from typing import TYPE_CHECKING

from app.catalog.definitions import Field
from app.computation.interface import Computation
from app.computation.release import RELEASE
from app.domain.label import Label
from app.errors import ConfigurationError
from app.expressions.names import TEXTUAL

if TYPE_CHECKING:
    from app.computation.catalog import CatalogComputation


def computation(name: str) -> Computation:
    """The computation of a catalog, or of the features of this release without a name. Raises as ``catalog_computation``."""
    return catalog_computation(name) if name else RELEASE


def worker_computation(name: str) -> Computation:
    """As ``computation``, for workers. Raises ConfigurationError for a delayed entity that labels do not name: its frauds would be 0."""
    found = computation(name)
    for entity in found.entities:
        if entity.field not in Label.__struct_fields__:
            raise ConfigurationError(
                f"FRAUDSTREAM_CATALOG_FILE={name}: labels carry no {entity.field}, so workers cannot know frauds of the entity "
                f"{entity.name}. Its delayed features are computed from files only; use another catalog for workers."
            )
    return found


@cache
def catalog_computation(name: str) -> "CatalogComputation":
    """The computation of the built-in catalog of this name, or of the one in the file at this path, read once.

    Raises InvalidCatalog with all mistakes, or ConfigurationError for a file that cannot be read or features that are not
    supported.
    """
    from app.adapters.catalog_file.reader import BASELINE, load_catalog  # noqa: PLC0415  # see above
    from app.catalog.digest import feature_digests  # noqa: PLC0415
    from app.computation.catalog import CatalogComputation  # noqa: PLC0415

    catalog, shipped = load_catalog(name), load_catalog(BASELINE)
    return CatalogComputation(catalog, feature_digests(catalog), feature_digests(shipped))


def declared(name: str) -> tuple[Field, ...]:
    """The fields that a catalog adds to the contract; none without a name. Raises as ``catalog_computation``."""
    catalog = catalog_computation(name).catalog if name else None
    return () if catalog is None else tuple(field for field in catalog.fields if field.declared)


def declared_texts(name: str) -> tuple[str, ...]:
    """The names of the declared fields of text."""
    return tuple(field.name for field in declared(name) if field.kind in TEXTUAL)
