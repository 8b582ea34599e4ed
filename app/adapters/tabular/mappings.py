"""How a file's columns become the transaction contract: which column is which field, in which unit.

A mapping is a built-in name (``contract``, ``handbook``) or the path of a TOML file. Everything is optional:

    amount_scale = 100      # amount_minor = round(amount_scale * column); leave out where it is minor units
    currency = "EUR"        # for files without a currency column
    time_unit = "text"      # s, ms, us or ns of an integer event_time; text for ISO 8601, taken as UTC
    [columns]               # field = the file's column; a field left out keeps its own name
    transaction_id = "TRANSACTION_ID"
    amount_minor = "TX_AMOUNT"
    [fraud_patterns]        # the file's codes = names; an empty name means none
    1 = "large_amount"
"""

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.transaction import Currency, Transaction
from app.errors import ConfigurationError

TimeUnit = typing.Literal["s", "ms", "us", "ns", "text"]

LABEL_FIELDS = ("is_fraud", "fraud_pattern")
FIELDS = (*Transaction.__struct_fields__, *LABEL_FIELDS)
REQUIRED_FIELDS = ("transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency")


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column holds which field, and in which unit."""

    columns: dict[str, str] = {}
    amount_scale: Annotated[float, Meta(gt=0)] | None = None
    """``amount_minor = round(amount_scale * column)``; None where the column holds integers of minor units."""
    currency: Currency | None = None
    """The currency of every row of a file that has no such column."""
    time_unit: TimeUnit = "ms"
    """Of an integer column, or ``text`` for ISO 8601. A column of a timestamp type needs no unit."""
    fraud_patterns: dict[str, str] = {}
    """Names of the file's codes; an empty name means no pattern. Codes not listed stay as they are."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns) - set(FIELDS))
        if unknown:
            raise ValueError(f"columns.{unknown[0]} is no field of the contract; known: {', '.join(FIELDS)}")

    def column(self, field: str) -> str:
        """The file's column that holds ``field``."""
        return self.columns.get(field, field)


CONTRACT = ColumnMapping()
HANDBOOK = ColumnMapping(
    columns={
        "transaction_id": "TRANSACTION_ID",
        "customer_id": "CUSTOMER_ID",
        "terminal_id": "TERMINAL_ID",
        "event_time": "TX_DATETIME",
        "amount_minor": "TX_AMOUNT",
        "is_fraud": "TX_FRAUD",
        "fraud_pattern": "TX_FRAUD_SCENARIO",
    },
    amount_scale=100,
    currency="EUR",
    time_unit="text",
    fraud_patterns={"0": "", "1": "large_amount", "2": "compromised_terminal", "3": "stolen_card"},
)
BUILT_IN: Mapping[str, ColumnMapping] = types.MappingProxyType({"contract": CONTRACT, "handbook": HANDBOOK})


def load_mapping(name: str | None) -> ColumnMapping:
    """The mapping called ``name``, or the one in the TOML file at that path. Raises ConfigurationError."""
    if name is None:
        return CONTRACT
    if name in BUILT_IN:
        return BUILT_IN[name]
    try:
        return msgspec.toml.decode(Path(name).read_bytes(), type=ColumnMapping)
    except OSError as error:
        raise ConfigurationError(
            f"mapping {name!r} is neither built in ({', '.join(BUILT_IN)}) nor a readable file: {error.strerror}"
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"mapping file {name}: {error}. Mend the file.") from error
