"""The features of a catalog computed by DuckDB from the definitions: each window is a join of every event with the events that
arrived before it. Shares no code with the service but the definitions themselves.
"""

import math
from collections.abc import Mapping, Sequence

import duckdb

from app.catalog.definitions import Catalog, Feature, Field, Function
from app.expressions import tree
from app.expressions.names import Kind
from tests.support.catalogs.history import FIELDS, Event

_TYPES = {
    Kind.MONEY: "BIGINT",
    Kind.TIME: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.CATEGORY: "VARCHAR",
    Kind.IDENTIFIER: "VARCHAR",
    Kind.TEXT: "VARCHAR",
}
_BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
_OTHERS_ONLY = {
    Function.RATIO,
    Function.ZSCORE,
    Function.MAX_RATIO,
    Function.SECONDS_SINCE_LAST,
    Function.SECONDS_SINCE_FIRST,
    Function.IS_NEW,
    Function.TIME_SIMILARITY,
}
_NEEDS_OWN_VALUE = {Function.RATIO, Function.ZSCORE, Function.MAX_RATIO, Function.IS_NEW}
_PARTS = 4


def compute(catalog: Catalog, events: Sequence[Event]) -> list[list[float]]:
    """The value of each feature for each event, NaN where missing."""
    with duckdb.connect(config={"threads": 1}) as database:
        _load(database, events)
        parts = ", ".join(part for feature in catalog.features for part in _parts(feature))
        rows = database.execute(
            f"SELECT c.number, {parts} FROM events c JOIN events e "  # noqa: S608  # of the test's own definitions
            "ON e.customer = c.customer AND e.number <= c.number AND e.time_ms <= c.time_ms "
            "GROUP BY c.number ORDER BY c.number"
        ).fetchall()
    return [
        [
            _final(feature, row[1 + _PARTS * i : 1 + _PARTS * (i + 1)])
            for i, feature in enumerate(catalog.features)
        ]
        for row in rows
    ]


def _load(database: duckdb.DuckDBPyConnection, events: Sequence[Event]) -> None:
    columns = ", ".join(f"{field.name} {_TYPES[field.kind]}" for field in FIELDS)
    database.execute(f"CREATE TABLE events (number BIGINT, customer BIGINT, time_ms BIGINT, {columns})")
    rows = [(number, event.customer, event.time_ms, *event.cells) for number, event in enumerate(events)]
    database.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608  # placeholders only


def _parts(feature: Feature) -> list[str]:  # noqa: C901  # one case for each function
    """Four aggregates of the window: whole numbers from which the value follows."""
    inside = _inside(feature)
    where = f"({sql(feature.where)})" if feature.where is not None else "true"
    value = _number(f"e.{feature.of}", feature.of)
    if feature.of:
        where = f"{where} AND e.{feature.of} IS NOT NULL"
    matching = f"FILTER (WHERE {inside} AND {where})"
    own = f"any_value({_number(f'c.{feature.of}', feature.of)})"
    match feature.function:
        case Function.SHARE:
            found = [f"count(*) {matching}", f"count(*) FILTER (WHERE {inside})"]
        case Function.COUNT | Function.IS_NEW:
            found = [f"count(*) {matching}"]
        case Function.DISTINCT:
            found = [f"count(DISTINCT {value}) {matching}"]
        case Function.MIN | Function.MAX:
            found = [f"{feature.function}({value}) {matching}"]
        case Function.MAX_RATIO:
            found = [f"max({value}) {matching}", own]
        case Function.SECONDS_SINCE_LAST:
            found = [f"max(e.time_ms) {matching}", "any_value(c.time_ms)"]
        case Function.SECONDS_SINCE_FIRST:
            found = [f"min(e.time_ms) {matching}", "any_value(c.time_ms)"]
        case Function.TIME_SIMILARITY:
            hands = f"{_hand('cos', 'c')} * {_hand('cos', 'e')} + {_hand('sin', 'c')} * {_hand('sin', 'e')}"
            found = [f"count(*) {matching}", f"sum({hands}) {matching}"]
        case _:
            found = [
                f"count(*) {matching}",
                f"sum({value}::HUGEINT) {matching}",
                f"sum({value}::HUGEINT * {value}::HUGEINT) {matching}",
                own,
            ]
    known = f"any_value(({_known(feature)}))"
    return [f"CASE WHEN {known} THEN {part} END" for part in found] + ["NULL"] * (_PARTS - len(found))


def _inside(feature: Feature) -> str:
    """Whether an event is in the window, apart from the filter."""
    others = not feature.includes_current or feature.function in _OTHERS_ONLY
    same = [f"{_number(f'e.{name}', name)} = {_number(f'c.{name}', name)}" for name in _same(feature)]
    later = f"e.time_ms > c.time_ms - {feature.window_ms}"
    return " AND ".join([later, *(["e.number < c.number"] if others else []), *same])


def _same(feature: Feature) -> tuple[str, ...]:
    return (*feature.same, str(feature.of)) if feature.function is Function.IS_NEW else feature.same


def _known(feature: Feature) -> str:
    """Whether the feature has a value: the event has the fields that it is compared by."""
    needed = [*_same(feature), *([feature.of] if feature.function in _NEEDS_OWN_VALUE else [])]
    return " AND ".join(["true", *(f"c.{name} IS NOT NULL" for name in needed)])


def _number(column: str, name: str | None) -> str:
    """A column as a whole number, if it is a number with decimals."""
    if name is None or _BY_NAME[name].kind is not Kind.NUMBER:
        return column
    return f"round_even({column} * {10.0 ** _BY_NAME[name].decimals!r}, 0)::BIGINT"


def _hand(function: str, event: str) -> str:
    minute = f"({event}.time_ms % 86400000 // 60000)"
    return f"round({function}(2 * pi() * {minute} / 1440) * 1048576)::BIGINT"


def _final(feature: Feature, parts: Sequence[int | None]) -> float:  # noqa: C901, PLR0911  # one case for each function
    """The value from exact whole numbers."""
    first, second, third, own = parts
    if first is None:
        return math.nan
    scale = 10 ** _BY_NAME[feature.of].decimals if feature.of else 1
    match feature.function:
        case Function.IS_NEW:
            return float(first == 0)
        case Function.SHARE:
            return _quotient(first, second or 0)
        case Function.MIN | Function.MAX:
            return _quotient(first, scale)
        case Function.MAX_RATIO:
            return _quotient(second or 0, first) if first else math.nan
        case Function.SECONDS_SINCE_LAST | Function.SECONDS_SINCE_FIRST:
            return _quotient((second or 0) - first, 1000)
        case Function.TIME_SIMILARITY:
            return max(-1.0, min(1.0, _quotient(second or 0, first * 2**40))) if first else math.nan
        case Function.COUNT | Function.DISTINCT:
            return float(first)
    return _of_sums(feature, scale, (first, second or 0, third or 0), own or 0)


def _of_sums(feature: Feature, scale: int, sums: tuple[int, int, int], own: int) -> float:
    n, s, q = sums
    varies = n * q - s * s
    match feature.function:
        case Function.SUM:
            return _quotient(s, scale)
        case Function.MEAN:
            return _quotient(s, n * scale)
        case Function.STD:
            return math.sqrt(float(varies)) / (n * scale) if n else math.nan
        case Function.RATIO:
            return _quotient(n * own, s) if s else math.nan
        case _:
            return float(n * own - s) / math.sqrt(float(varies)) if varies else math.nan


def _quotient(left: int, right: int) -> float:
    """Both rounded to doubles before the division, as the documents say."""
    return float(left) / float(right) if right else math.nan


def sql(found: tree.Tree, table: str = "e") -> str:  # noqa: PLR0911  # one case for each kind of node
    """A condition as SQL, whose NULL is the missing value."""
    match found:
        case tree.Column():
            return f"{table}.{found.name}"
        case tree.Number() | tree.Money():
            return repr(found.value)
        case tree.TextOneOf():
            values = ", ".join(f"'{value}'" for value in found.values)
            return f"({table}.{found.column.name} IN ({values}))"
        case tree.Compare():
            relation = "=" if found.relation is tree.Relation.EQUAL else found.relation
            return f"({sql(found.left)} {relation} {sql(found.right)})"
        case tree.IsMissing():
            return f"({sql(found.operand)} IS NULL)"
        case tree.Not():
            return f"(NOT {sql(found.operand)})"
        case tree.And() | tree.Or():
            word = " AND " if isinstance(found, tree.And) else " OR "
            return f"({word.join(map(sql, found.operands))})"
    raise AssertionError(f"random catalogs hold no {found}")
