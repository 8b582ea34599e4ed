"""Checks the score bands: ``[[bands]]``."""

from app.checking.table import Table
from app.domain.decision import Thresholds
from app.expressions.names import Kind
from app.expressions.parsing.quoted_text import quoted
from app.expressions.tree import And, Column, Compare, Condition, Money, Relation
from app.policy.bounds import MOST_BANDS, MOST_THRESHOLD
from app.policy.checking.conditions import condition, condition_of
from app.policy.checking.lists import Scope
from app.policy.checking.values import amount, share
from app.policy.definitions import Band

_TEXTS = ("channel", "country", "currency")
_AMOUNTS = ("amount_from", "amount_below")
_SEGMENT = (*_TEXTS, *_AMOUNTS)


def bands(file: Table, scope: Scope) -> tuple[Band, ...]:
    """The bands without a problem."""
    found: list[Band | None] = []
    tables = list(file.items("bands"))
    for index, table in enumerate(tables[:MOST_BANDS]):
        found.append(_band(table, scope))
        if not {"when", *_SEGMENT} & {*table} and index + 1 < len(tables):
            table.refuse("a band without a condition matches every transaction", "make it the last one")
    if len(tables) > MOST_BANDS:
        file.refuse(f"{len(tables)} bands; at most {MOST_BANDS} are allowed", at="bands")
    return tuple(filter(None, found))


def _band(table: Table, scope: Scope) -> Band | None:
    table.expect("when", *_SEGMENT, "review", "decline")
    when = _when(table, scope)
    review, decline = (share(table, key, MOST_THRESHOLD) for key in ("review", "decline"))
    if table.is_sound and review > decline:
        table.refuse(
            f"the review threshold {review:g} is above the decline threshold {decline:g}", at="review"
        )
    if not table.is_sound:
        return None
    return Band(when=when, thresholds=Thresholds(review=review, decline=decline))


def _when(table: Table, scope: Scope) -> Condition | None:
    keys = [key for key in _SEGMENT if key in table]
    if "when" in table:
        for key in keys:
            table.refuse(f"a band with when has no {key}", "write it as part of when", at=key)
        return condition(table, "when", scope)
    parts = [_one_of(table, key, scope) for key in _TEXTS if key in table] + _amounts(table, scope)
    sound = [part for part in parts if part is not None]
    return None if not sound else sound[0] if len(sound) == 1 else And(tuple(sound))


def _one_of(table: Table, key: str, scope: Scope) -> Condition | None:
    values = table.texts(key)
    if values is None:
        return None
    if not values:
        table.refuse("at least one value is expected here", at=key)
        return None
    return condition_of(table, key, f"{key} in ({', '.join(map(quoted, values))},)", scope)


def _amounts(table: Table, scope: Scope) -> list[Condition | None]:
    low, high = (amount(table, key, scope.names) for key in _AMOUNTS)
    if low is not None and high is not None and low >= high:
        table.refuse("amount_from is not below amount_below", at="amount_from")
    column, currency = Column("amount", Kind.MONEY), scope.names.currency
    limits = ((Relation.GREATER_EQUAL, low), (Relation.LESS, high))
    return [
        Compare(relation, column, Money(limit, currency)) for relation, limit in limits if limit is not None
    ]
