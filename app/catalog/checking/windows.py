"""Checks what a feature sees of the past: the scope of its function, its window and its delay."""

from typing import NamedTuple

from app.catalog import durations
from app.catalog.bounds import HORIZON_MS
from app.catalog.checking.known import Known
from app.catalog.definitions import CUSTOMER, TRANSACTION, Entity, Function
from app.catalog.durations import HOUR_MS
from app.catalog.functions import FUNCTIONS, Scope, Signature, Use
from app.checking.problems import remedy, shown
from app.checking.table import Table

EVER = "ever"
_WITH_EVER = (Function.IS_NEW, Function.SECONDS_SINCE_FIRST)
NOT_YET = "not supported yet"


class Chosen(NamedTuple):
    """A function of a feature, and the table that chooses it."""

    table: Table
    entity: str
    """Empty where it has a problem."""
    function: Function
    scope: Scope

    @property
    def signature(self) -> Signature:
        return FUNCTIONS[self.function]


def choose(table: Table, function: Function, known: Known) -> Chosen:
    """The function in its scope. After a problem it is a scope that the function has, so that the other keys are checked."""
    entity, allowed = table.required("entity", 'entity = "customer"'), FUNCTIONS[function].scopes
    scope = _scope(table, entity)
    if entity is not None and entity not in {TRANSACTION, *known.entities}:
        known_names = [TRANSACTION, *known.entities]
        table.refuse(f"unknown entity '{shown(entity)}'", remedy(entity, known_names), at="entity")
    elif entity is not None and scope not in allowed:
        _refuse_scope(table, function, scope)
    elif found := known.entities.get(entity or ""):
        _check_supported(table, found)
    return Chosen(table, entity or "", function, scope if scope in allowed else min(allowed))


def _scope(table: Table, entity: str | None) -> Scope:
    if entity == TRANSACTION:
        return Scope.CURRENT
    return Scope.DELAYED if "delay" in table else Scope.WINDOW


def _refuse_scope(table: Table, function: Function, scope: Scope) -> None:
    allowed = FUNCTIONS[function].scopes
    if Scope.CURRENT in allowed:
        remedy = 'write entity = "transaction"'
        table.refuse(f"{function} is of the current transaction alone", remedy, at="entity")
    elif scope is Scope.CURRENT:
        table.refuse(f"{function} is of an entity with a past", 'write entity = "customer"', at="entity")
    elif scope is Scope.DELAYED:
        delayed = ", ".join(each for each, signature in FUNCTIONS.items() if scope in signature.scopes)
        table.refuse(f"{function} has no delay", f"remove it, or choose one of {delayed}", at="delay")
    else:
        remedy = 'write one, as in delay = "7d"'
        table.refuse(f"{function} needs a delay: fraud is reported late", remedy, at="function")


def _check_supported(table: Table, entity: Entity) -> None:
    if len(entity.key) > 1:
        remedy = "choose an entity with one key field"
        table.refuse(f"features of a pair of fields are {NOT_YET}", remedy, at="entity")
    elif "delay" not in table and entity.name != CUSTOMER:
        remedy = 'write a delay, as in delay = "7d"'
        table.refuse(
            f"windows of {entity.name} up to the current transaction are {NOT_YET}", remedy, at="entity"
        )


def window_ms(chosen: Chosen) -> int:
    table, function = chosen.table, chosen.function
    if chosen.signature.window is Use.NONE:
        if "window" in table:
            table.refuse(f"{function} has no window", "remove it", at="window")
        return 0
    if "window" not in table:
        filtered = next((key for key in ("where", "same") if key in table), None)
        if chosen.signature.window is Use.REQUIRED:
            table.refuse("window is missing", 'write it, as in window = "7d"')
        elif filtered:
            table.refuse(f"{function} with {filtered} needs a window", 'write one, as in window = "30d"')
        return 0
    if table.raw("window") == EVER:
        what = f"is {NOT_YET}" if function in _WITH_EVER else f"goes only with {' and '.join(_WITH_EVER)}"
        table.refuse(
            f"window = '{EVER}' {what}",
            f"write a window of at most {durations.text(HORIZON_MS)}",
            at="window",
        )
        return 0
    return _duration(table, "window", full_hours=chosen.scope is Scope.DELAYED)


def delay_ms(chosen: Chosen) -> int:
    """The delay; 0 for a window that ends with the current transaction."""
    if chosen.scope is Scope.CURRENT and "delay" in chosen.table:
        chosen.table.refuse("the entity transaction has no past", "remove the delay", at="delay")
    if chosen.scope is not Scope.DELAYED:
        return 0
    return _duration(chosen.table, "delay", full_hours=True)


def _duration(table: Table, key: str, *, full_hours: bool) -> int:
    text = table.get(key, str, "1h")
    found = durations.parse(text)
    if found is None:
        table.refuse(
            f"'{shown(text)}' is no duration",
            "write a whole number of m, h or d, as in 10m, 1h or 7d",
            at=key,
        )
        return 0
    if found > HORIZON_MS:
        horizon = durations.text(HORIZON_MS)
        table.refuse(f"'{text}' is beyond the horizon of {horizon}", f"write at most {horizon}", at=key)
    elif full_hours and found % HOUR_MS:
        table.refuse(
            f"'{text}' is no whole number of hours, in which delayed windows are kept",
            "write hours or days",
            at=key,
        )
    return found
