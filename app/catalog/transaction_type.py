"""The type of transactions that carry the declared fields of a catalog: every decoder of events takes a type."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from app.catalog.definitions import Catalog, Field
from app.domain.bounded import LATEST_MS
from app.domain.transaction import MAX_AMOUNT_MINOR, Transaction
from app.expressions.names import Kind

_EARLIEST_MS = -LATEST_MS


def declared_fields(catalog: Catalog) -> tuple[Field, ...]:
    """The fields that the catalog adds to those of the contract."""
    return tuple(field for field in catalog.fields if field.declared)


def transaction_type(declared: Sequence[Field]) -> type[Transaction]:
    """Return the struct of transactions with these fields, validated as declared; ``Transaction`` itself without any.

    Equal declarations give the same type.
    """
    return _struct(tuple(declared)) if declared else Transaction


@cache
def _struct(declared: tuple[Field, ...]) -> type[Transaction]:
    made = msgspec.defstruct(
        "Transaction",
        [_member(field) for field in declared],
        bases=(Transaction,),
        frozen=True,
        kw_only=True,
        gc=False,
        omit_defaults=True,
    )
    return cast("type[Transaction]", made)


def _member(field: Field) -> Any:
    kind = _value_type(field)
    return (field.name, kind) if field.required else (field.name, kind | None, None)


def _value_type(field: Field) -> Any:
    match field.kind:
        case Kind.CATEGORY:
            return Literal[field.values]
        case Kind.NUMBER:
            return Annotated[float, Meta(ge=field.minimum, le=field.maximum)]
        case Kind.MONEY:
            return Annotated[int, Meta(ge=-MAX_AMOUNT_MINOR, le=MAX_AMOUNT_MINOR)]
        case Kind.BOOLEAN:
            return bool
        case Kind.TIME:
            return Annotated[int, Meta(ge=_EARLIEST_MS, le=LATEST_MS)]
        case _:
            return Annotated[str, Meta(min_length=1, max_length=field.max_length)]
