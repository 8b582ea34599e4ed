"""The names that the conditions of a policy may use: fields and features of a catalog, the score, and the declared lists."""

from collections.abc import Sequence

from app.catalog.definitions import Catalog
from app.catalog.functions import value_kind
from app.expressions.names import Field, Kind, Names
from app.policy.definitions import SCORE, DeclaredList


def policy_names(catalog: Catalog, lists: Sequence[DeclaredList]) -> Names:
    """Names over the catalog of a deployment: its fields, its features in its order, the score. Raises ConfigurationError where a
    name stands for two things.
    """
    fields = {field.name: field for field in catalog.fields}
    return Names(
        columns=(
            *(Field(field.name, field.kind, field.values) for field in catalog.fields),
            *(Field(feature.name, value_kind(feature, fields)) for feature in catalog.features),
            Field(SCORE, Kind.NUMBER),
        ),
        currency=catalog.reference_currency,
        lists=tuple(each.name for each in lists),
        list_kinds=tuple(each.kind for each in lists),
    )
