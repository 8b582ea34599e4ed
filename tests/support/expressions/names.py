"""The names that tests of expressions use: two columns of each type, two lists, a zone with a change of its clocks."""

from app.expressions.cells import Cell, Row
from app.expressions.names import Field, Kind, Names
from app.expressions.zone import HOUR_MS, Zone

CHANNELS = ("atm", "ecom", "pos")
COUNTRIES = ("CH", "DE", "FR")
LISTS = ("blocked_devices", "trusted_payees")
ZONE = Zone("Test/City", (0, 1_700_000_000_000, 1_750_000_000_000), (HOUR_MS, 2 * HOUR_MS, -5 * HOUR_MS // 2))

NAMES = Names(
    columns=(
        Field("travel_kmh", Kind.NUMBER),
        Field("count_1d", Kind.NUMBER),
        Field("amount", Kind.MONEY),
        Field("balance", Kind.MONEY),
        Field("merchant", Kind.TEXT),
        Field("city", Kind.TEXT),
        Field("channel", Kind.CATEGORY, CHANNELS),
        Field("country", Kind.CATEGORY, COUNTRIES),
        Field("ip_country", Kind.CATEGORY, (*COUNTRIES, "US")),
        Field("device_id", Kind.IDENTIFIER),
        Field("payee_id", Kind.IDENTIFIER),
        Field("strong_auth", Kind.BOOLEAN),
        Field("new_payee", Kind.BOOLEAN),
        Field("event_time", Kind.TIME),
        Field("opened_at", Kind.TIME),
    ),
    currency="EUR",
    lists=LISTS,
    zone=ZONE,
)


def row(**cells: Cell) -> Row:
    """A row with these cells; the others are missing."""
    return tuple(cells.get(column.name) for column in NAMES.columns)
