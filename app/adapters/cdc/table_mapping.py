"""How a database table's columns become the transaction contract: which column is which field, in which unit.

``contract`` for a table with the contract's own names and units, or the path of a TOML file. Everything is optional:

    amount = "major"        # the column holds 12.50; minor, the default, where it holds 1250
    amount_scale = 2        # of a NUMERIC column that comes as bytes (decimal.handling.mode=precise)
    time_unit = "us"        # s, ms, us or ns of an integer; text is ISO 8601 with its offset, whatever stands here
    currency = "EUR"        # for tables without a currency column
    [columns]               # field = the table's column; a field left out keeps its own name
    transaction_id = "id"
    amount_minor = "amount"
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.domain.transaction import Currency, Transaction
from app.errors import ConfigurationError

FIELDS = Transaction.__struct_fields__
CONTRACT_NAME = "contract"


class TableMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column holds which field, and in which unit. What a column's own type tells needs no word here."""

    columns: dict[str, str] = {}
    amount: Literal["minor", "major"] = "minor"
    """What one is: a cent or a euro."""
    amount_scale: Annotated[int, Meta(ge=0, le=40)] | None = None
    """Text of the amount's column is base64 of an integer, and this many of its digits stand behind the point. None where
    text is a decimal number."""
    time_unit: Literal["s", "ms", "us", "ns"] = "ms"
    """Of an integer."""
    currency: Currency | None = None
    """Of every row of a table that has no such column."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns) - set(FIELDS))
        if unknown:
            raise ValueError(f"columns.{unknown[0]} is no field of the contract; known: {', '.join(FIELDS)}")

    def column(self, field: str) -> str:
        """The table's column that holds ``field``."""
        return self.columns.get(field, field)


CONTRACT = TableMapping()


def load_table_mapping(name: str) -> TableMapping:
    """``contract``, or the mapping in the TOML file at that path. Raises ConfigurationError."""
    if name == CONTRACT_NAME:
        return CONTRACT
    try:
        return msgspec.toml.decode(Path(name).read_bytes(), type=TableMapping)
    except OSError as error:
        raise ConfigurationError(
            f"FRAUDSTREAM_CDC_MAPPING={name!r} is neither `{CONTRACT_NAME}` nor a readable file: {error.strerror}. "
            "Name one."
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"FRAUDSTREAM_CDC_MAPPING names {name}: {error}. Mend the file.") from error
