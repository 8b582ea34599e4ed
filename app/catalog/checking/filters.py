"""Checks which field a feature is of, and which events it sees: ``of``, ``same``, ``where``, ``current``."""

from app.catalog.bounds import MOST_SAME
from app.catalog.checking.known import Known
from app.catalog.checking.windows import NOT_YET, Chosen
from app.catalog.definitions import Field
from app.catalog.functions import Scope, Use
from app.checking.problems import shown
from app.checking.table import Table
from app.expressions.names import Kind


def field_of(chosen: Chosen, known: Known) -> Field | None:
    """The field of which the function takes the values; None without one, or where it has a problem."""
    table, taken = chosen.table, chosen.signature.of
    kinds = ", ".join(sorted(taken))
    if "of" not in table:
        if taken:
            table.refuse(f"{chosen.function} needs of", f"write of = with a field of type {kinds}")
        return None
    if not taken:
        table.refuse(f"{chosen.function} is of no field", "remove it", at="of")
        return None
    name = table.text("of")
    field = None if name is None else known.field(table, name, "of")
    if field is not None and field.kind not in taken:
        table.refuse(
            f"{chosen.function} takes {kinds}, and {field.name} is of type {field.kind}",
            "choose another field",
            at="of",
        )
    elif field is not None and chosen.scope is not Scope.CURRENT:
        _check_scaled(table, field, "of")
    return field


def same(chosen: Chosen, known: Known) -> tuple[str, ...]:
    """The fields whose values are those of the current transaction, sorted."""
    table = chosen.table
    names = table.texts("same")
    if "same" not in table or not _may_filter(chosen, "same") or names is None:
        return ()
    if not 1 <= len(names) <= MOST_SAME or len(set(names)) < len(names):
        table.refuse(f"same has 1 to {MOST_SAME} different fields", at="same")
        return ()
    for name in names:
        field = known.field(table, name, "same")
        if field is not None:
            _check_same(table, field)
    return tuple(sorted(names))


def may_have_where(chosen: Chosen) -> bool:
    """Whether there may be a filter; refuses one that may not be, or that is missing."""
    if "where" not in chosen.table and chosen.signature.where is Use.REQUIRED:
        chosen.table.refuse(
            f"{chosen.function} needs where", "write a condition, as in where = \"channel == 'ecom'\""
        )
    return "where" in chosen.table and _may_filter(chosen, "where")


def includes_current(chosen: Chosen) -> bool:
    table, text = chosen.table, chosen.table.text("current")
    if "current" in table and (not chosen.signature.may_exclude_current or chosen.scope is not Scope.WINDOW):
        table.refuse(
            f"{chosen.function} has no choice about the current transaction", "remove it", at="current"
        )
    elif text not in {None, "included", "excluded"}:
        table.refuse(f"'{shown(text)}' is neither included nor excluded", "write one of them", at="current")
    return text != "excluded"


def _may_filter(chosen: Chosen, key: str) -> bool:
    if chosen.scope is Scope.DELAYED:
        chosen.table.refuse(f"{key} with a delay is {NOT_YET}", "remove it", at=key)
    elif chosen.signature.where is Use.NONE:
        chosen.table.refuse(f"{chosen.function} has no {key}", "remove it", at=key)
    return chosen.scope is not Scope.DELAYED and chosen.signature.where is not Use.NONE


def _check_same(table: Table, field: Field) -> None:
    if field.name == "customer_id":
        table.refuse("customer_id is the same for all events of a customer", "remove it", at="same")
    elif field.name == "transaction_id":
        table.refuse("transaction_id differs in every transaction", "remove it", at="same")
    elif field.kind is Kind.TIME:
        table.refuse(f"{field.name} is a time, and times are not compared with same", "remove it", at="same")
    else:
        _check_scaled(table, field, "same")


def _check_scaled(table: Table, field: Field, key: str) -> None:
    """Refuse a number without bounds: windows keep it as a whole number, whose sums must be exact."""
    if field.kind is Kind.NUMBER and (field.minimum is None or field.maximum is None):
        table.refuse(f"windows need the range of {field.name}", "give the field minimum and maximum", at=key)
