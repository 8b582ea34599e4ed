"""Plans to measure: the shipped features, and grids of windows, filters and functions."""

from collections.abc import Sequence

from app.catalog.definitions import Catalog, Entity, Feature, Field, Function
from app.expressions import tree
from app.expressions.names import Kind
from app.expressions.tree import Column, Money, Relation
from app.features.catalog import FEATURES, PROFILE
from app.profiles.plan import Plan, plan

SPAN_MS = 30 * 86_400_000
NUMBERS = (Function.COUNT, Function.SUM, Function.MEAN, Function.STD)
_SHIPPED = {
    "count": (Function.COUNT, None),
    "amount_sum": (Function.SUM, "amount"),
    "amount_mean": (Function.MEAN, "amount"),
    "amount_std": (Function.STD, "amount"),
    "amount_ratio": (Function.RATIO, "amount"),
    "amount_zscore": (Function.ZSCORE, "amount"),
}


def catalog(features: Sequence[Feature]) -> Plan:
    """The plan of features over amount and terminal."""
    fields = (
        Field(name="amount", kind=Kind.MONEY, required=True, declared=False),
        Field(name="terminal_id", kind=Kind.IDENTIFIER, required=True, declared=False),
    )
    customer = Entity(name="customer", key=("customer_id",))
    return plan(
        Catalog(
            name="bench",
            reference_currency="EUR",
            fields=fields,
            entities=(customer,),
            features=tuple(features),
        )
    )


def shipped() -> Plan:
    """Those of today's features that a profile gives, apart from values of the transaction and the speed of travel."""
    return catalog([_shipped(feature.name, feature.window_ms) for feature in FEATURES[PROFILE][3:-1]])


def _shipped(name: str, window_ms: int) -> Feature:
    words = name.removeprefix("customer_").rsplit("_", 1)[0]
    if name == "customer_seconds_since_last":
        return Feature(name=name, entity="customer", function=Function.SECONDS_SINCE_LAST)
    function, of = _SHIPPED.get(words, (Function.COUNT, None))
    same = ("terminal_id",) if words == "terminal_count" else ()
    return Feature(name=name, entity="customer", function=function, of=of, same=same, window_ms=window_ms)


def grid(windows: int, filters: int, functions: Sequence[Function]) -> Plan:
    """Every function in every window under every filter; no filter counts as one."""
    widths = [SPAN_MS * (window + 1) // windows for window in range(windows)]
    conditions = [None] if not filters else [_above(number) for number in range(filters)]
    return catalog(
        [
            Feature(
                name=f"{function}_{width}_{number}",
                entity="customer",
                function=function,
                of=_field(function),
                where=condition,
                window_ms=width,
            )
            for number, condition in enumerate(conditions)
            for width in widths
            for function in functions
        ]
    )


def _above(number: int) -> tree.Compare:
    return tree.Compare(Relation.GREATER, Column("amount", Kind.MONEY), Money(number * 1_000, "EUR"))


def _field(function: Function) -> str | None:
    if function in {Function.DISTINCT, Function.IS_NEW}:
        return "terminal_id"
    plain = {Function.COUNT, Function.SECONDS_SINCE_LAST, Function.TIME_SIMILARITY}
    return None if function in plain else "amount"


def hundred() -> Plan:
    """100 features over 10 windows and 8 filters: counts of every filter, and sums and more of some."""
    features = [
        *grid(10, 8, (Function.COUNT,)).features,
        *grid(10, 1, (Function.MEAN, Function.STD)).features,
    ]
    return catalog(features)
