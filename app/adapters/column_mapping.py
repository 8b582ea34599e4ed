"""Column mappings: which column of a file or of a database table holds which field of a transaction, in which unit.

A mapping is a built-in name (``contract``, ``handbook``) or the path of a TOML file. The same file serves `--mapping` of
the commands and FRAUDSTREAM_CDC_MAPPING of the workers. Every key is optional:

    amount = "major"        # the amount counts euros (12.50); minor, the default: cents (1250)
    amount_factor = 100     # instead of amount = "major": amount_minor = amount_factor * column
    rounding = "half_even"  # for amounts with more decimals than their currency, which are refused without this key
    numeric_scale = 2       # decimals of a NUMERIC column that arrives as bytes (decimal.handling.mode=precise)
    time_unit = "us"        # s, ms (default), us or ns of an integer event_time; text for ISO 8601, UTC without an offset
    currency = "EUR"        # for sources without a currency column
    [columns]               # field = column; a field left out keeps its own name
    transaction_id = "id"
    amount_minor = "amount"
    [fraud_patterns]        # code in the column = name; an empty name means no pattern
    1 = "large_amount"

``amount_scale`` is the older name of two keys and keeps both meanings: ``amount_factor`` in a file given by `--mapping`,
``numeric_scale`` in one named by FRAUDSTREAM_CDC_MAPPING.
"""

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.domain.transaction import Currency, Transaction
from app.errors import ConfigurationError

AmountUnit = typing.Literal["minor", "major"]
Rounding = typing.Literal["none", "half_even"]
TimeUnit = typing.Literal["s", "ms", "us", "ns", "text"]

LABEL_FIELDS = ("is_fraud", "fraud_pattern")
FIELDS = (*Transaction.__struct_fields__, *LABEL_FIELDS)
"""Every field that a column can hold; label fields are read from files only."""
REQUIRED_FIELDS = ("transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency")

_OLDER_NAME = "amount_scale"


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column holds which field, and in which unit.

    Raises ValueError for a field that does not exist, and where the amount's unit is given twice.
    """

    columns: dict[str, str] = {}
    """Column by field; a field that is not listed is read from the column of its own name."""
    amount: AmountUnit = "minor"
    """Unit of the amount's column: cents (``minor``) or euros (``major``), by the currency's own decimals."""
    amount_factor: Annotated[float, Meta(gt=0)] | None = None
    """``amount_minor = amount_factor * column``; None where ``amount`` gives the unit."""
    rounding: Rounding = "none"
    """``none`` refuses an amount that is no whole number of minor units; ``half_even`` rounds it."""
    numeric_scale: Annotated[int, Meta(ge=0, le=40)] | None = None
    """The amount arrives as base64 of an integer, whose last digits, this many, are decimals. None where text is a
    decimal number. Files hold no such columns."""
    currency: Currency | None = None
    """The currency of every row of a source that has no such column."""
    time_unit: TimeUnit = "ms"
    """Unit of an integer, or ``text`` for ISO 8601. A column of a timestamp type needs no unit."""
    fraud_patterns: dict[str, str] = {}
    """Name by code; an empty name means no pattern. Codes that are not listed stay as they are."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns) - set(FIELDS))
        if unknown:
            raise ValueError(f"columns.{unknown[0]} is no field of the contract; known: {', '.join(FIELDS)}")
        if self.amount == "major" and self.amount_factor is not None:
            raise ValueError('amount = "major" and amount_factor both give the unit of the amount; give one')

    def column(self, field: str) -> str:
        """The name of the column that holds ``field``."""
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
    amount="major",
    rounding="half_even",  # its amounts are sums of doubles: 85.64999999999999
    currency="EUR",
    time_unit="text",
    fraud_patterns={"0": "", "1": "large_amount", "2": "compromised_terminal", "3": "stolen_card"},
)
BUILT_IN: Mapping[str, ColumnMapping] = types.MappingProxyType({"contract": CONTRACT, "handbook": HANDBOOK})


class MappingOption(typing.NamedTuple):
    """The option or setting that names a mapping."""

    name: str
    amount_scale: str
    """The key that ``amount_scale`` stands for in files given by this option."""


FILE_OPTION = MappingOption("--mapping", "amount_factor")
TABLE_SETTING = MappingOption("FRAUDSTREAM_CDC_MAPPING", "numeric_scale")


def load_mapping(name: str | None, option: MappingOption = FILE_OPTION) -> ColumnMapping:
    """The built-in mapping called ``name``, or the one in the TOML file at that path; ``contract`` for None.

    Raises ConfigurationError, which names the option, where it is neither or the file holds no mapping.
    """
    if name is None:
        return CONTRACT
    if name in BUILT_IN:
        return BUILT_IN[name]
    try:
        return _parse(Path(name).read_bytes(), option)
    except OSError as error:
        raise ConfigurationError(
            f"{option.name}={name!r} is neither built in ({', '.join(BUILT_IN)}) nor a readable file: "
            f"{error.strerror}. Give one of them."
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{option.name} names {name}: {error}. Correct the file.") from error


def _parse(data: bytes, option: MappingOption) -> ColumnMapping:
    keys: dict[str, Any] = msgspec.toml.decode(data)
    if _OLDER_NAME not in keys:
        return msgspec.convert(keys, ColumnMapping)
    if option.amount_scale in keys:
        raise msgspec.ValidationError(f"{_OLDER_NAME} is the older name of {option.amount_scale}; give one")
    keys[option.amount_scale] = keys.pop(_OLDER_NAME)
    try:
        return msgspec.convert(keys, ColumnMapping)
    except msgspec.ValidationError as error:
        # The message points at the key as the file spells it.
        raise msgspec.ValidationError(
            str(error).replace(f"`$.{option.amount_scale}`", f"`$.{_OLDER_NAME}`")
        ) from None
