"""Column mappings: which column of a file or of a database table holds which field of a transaction, in which unit.

A mapping is a built-in name (``contract``, ``handbook``, a layout of public data in ``layouts``) or the path of a TOML file.
The same file serves `--mapping` of the commands and FRAUDSTREAM_CDC_MAPPING of the workers. Every key is optional:

    amount = "major"        # the amount counts euros (12.50); minor, the default: cents (1250)
    amount_factor = 100     # instead of amount = "major": amount_minor = amount_factor * column
    rounding = "half_even"  # for amounts with more decimals than their currency, which are refused without this key
    numeric_scale = 2       # decimals of a NUMERIC column that arrives as bytes (decimal.handling.mode=precise)
    time_unit = "us"        # s, ms (default), us or ns of an integer event_time; text for ISO 8601, UTC without an offset
    currency = "EUR"        # for sources without a currency column
    refunds = "skip"        # leave rows with a negative amount out; without this key they are refused. Files only
    padding = "keep"        # spaces at the end of text are part of the value; without this key they are removed
    [columns]               # field = column, or what it is made of (field_source.py); a field left out keeps its own name
    transaction_id = "id"
    amount_minor = "amount"
    [fraud_patterns]        # code in the column = name; an empty name means no pattern
    1 = "large_amount"

``amount_scale`` is the older name of two keys and keeps both meanings: ``amount_factor`` in a file given by `--mapping`,
``numeric_scale`` in one named by FRAUDSTREAM_CDC_MAPPING.
"""

import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.adapters.field_source import Source, TokenKey
from app.catalog.definitions import Field
from app.domain.transaction import Currency, Transaction
from app.domain.wrong_value import wrong_value
from app.errors import ConfigurationError

AmountUnit = typing.Literal["minor", "major"]
Rounding = typing.Literal["none", "half_even"]
Refunds = typing.Literal["refuse", "skip"]
Padding = typing.Literal["strip", "keep"]
TimeUnit = typing.Literal["s", "ms", "us", "ns", "text"]

LABEL_FIELDS = ("is_fraud", "fraud_pattern")
FIELDS = (*Transaction.__struct_fields__, *LABEL_FIELDS)
FIELDS_OF_FILES = tuple(field for field in FIELDS if field != "decide_by")
"""A file has past transactions, which have no deadline for an answer."""
"""Every field of the contract that a column can hold; label fields are read from files only."""
REQUIRED_FIELDS = ("transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency")

_OLDER_NAME = "amount_scale"


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column holds which field, and in which unit.

    Raises ValueError for a field that does not exist, and where the amount's unit is given twice.
    """

    columns: dict[str, str | Source] = {}
    """Column by field, or what the field is made of; a field that is not listed is read from the column of its name."""
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
    refunds: Refunds = "refuse"
    """What a negative amount means. ``skip``: the row is left out and counted."""
    padding: Padding = "strip"
    """``strip`` removes the spaces at the end of text, with which CHAR(n) columns are filled up; ``keep`` does not."""
    key: TokenKey | None = None
    """Secret of the tokens that sources make; never in the file."""
    declared: tuple[Field, ...] = ()
    """The fields that a catalog adds to those of the contract; never in the file."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns) - set(self.fields))
        if unknown:
            raise ValueError(
                f"columns.{unknown[0]} is no field of the contract or the catalog; known: {', '.join(self.fields)}"
            )
        if self.amount == "major" and self.amount_factor is not None:
            raise ValueError('amount = "major" and amount_factor both give the unit of the amount; give one')
        clocks = [name for name, source in self.sources.items() if source.origin is not None]
        if clocks not in ([], ["event_time"]):
            raise ValueError(f"columns.{clocks[0]} has an origin, which is for event_time")

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that a column can hold: those of the contract, then the declared ones."""
        return (*FIELDS, *(field.name for field in self.declared))

    def column(self, field: str) -> str:
        """The name of the column that holds ``field``, or of the first that it is made of; for messages."""
        return next(iter(self.inputs(field)), field)

    def inputs(self, field: str) -> tuple[str, ...]:
        """The columns that ``field`` is made of; none for a constant."""
        given = self.columns.get(field, field)
        return given.columns if isinstance(given, Source) else (given,)

    @property
    def sources(self) -> dict[str, Source]:
        """The fields that are built, by name."""
        return {field: given for field, given in self.columns.items() if isinstance(given, Source)}

    @property
    def unit_of_times(self) -> TimeUnit:
        """Unit of the raw event time: a relative clock gives milliseconds."""
        source = self.sources.get("event_time")
        return "ms" if source is not None and source.origin is not None else self.time_unit


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
_LAYOUT_DIR = Path(__file__).with_name("layouts")
LAYOUTS: Mapping[str, Path] = types.MappingProxyType(
    {path.stem: path for path in sorted(_LAYOUT_DIR.glob("*.toml"))}
)
"""Mappings of the layouts of public data."""
KNOWN_LAYOUTS = ("handbook", *LAYOUTS)
"""Names of the built-in mappings of layouts, which a file may have."""
TOKEN_KEY_SETTING = "FRAUDSTREAM_MAPPING_TOKEN_KEY_FILE"  # noqa: S105  # a name
_SHORTEST_KEY = 16


class MappingOption(typing.NamedTuple):
    """The option or setting that names a mapping."""

    name: str
    amount_scale: str
    """The key that ``amount_scale`` stands for in files given by this option."""


FILE_OPTION = MappingOption("--mapping", "amount_factor")
TABLE_SETTING = MappingOption("FRAUDSTREAM_CDC_MAPPING", "numeric_scale")


def load_mapping(
    name: str | None,
    option: MappingOption = FILE_OPTION,
    token_key_file: str = "",
    declared: Sequence[Field] = (),
) -> ColumnMapping:
    """The built-in mapping called ``name``, or the one in the TOML file at that path; ``contract`` for None.

    ``declared`` are the fields of a catalog, which columns may hold beside those of the contract. Raises ConfigurationError, which names the option, where it is neither, the file holds no mapping, or it makes tokens
    and ``token_key_file`` holds no key.
    """
    if name is None or name in BUILT_IN:
        return msgspec.structs.replace(BUILT_IN[name or "contract"], declared=tuple(declared))
    mapping = _read(LAYOUTS.get(name, Path(name)), name, option, declared)
    if option is TABLE_SETTING:
        _refuse_for_tables(mapping, name)
    if any(source.token for source in mapping.sources.values()):
        return msgspec.structs.replace(mapping, key=_read_key(token_key_file, name))
    return mapping


def layout_of(name: str) -> ColumnMapping:
    """A built-in mapping, without the key of its tokens."""
    return BUILT_IN[name] if name in BUILT_IN else _read(LAYOUTS[name], name, FILE_OPTION, ())


def _read(path: Path, name: str, option: MappingOption, declared: Sequence[Field]) -> ColumnMapping:
    try:
        return _parse(path.read_bytes(), option, declared)
    except OSError as error:
        known = ", ".join([*BUILT_IN, *LAYOUTS])
        raise ConfigurationError(
            f"{option.name}={name} is neither built in ({known}) nor a readable file: "
            f"{error.strerror}. Give one of them."
        ) from error
    except RecursionError as error:
        raise ConfigurationError(
            f"{option.name} names {name}, which is nested too deeply. Correct the file."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{option.name} names {name}: {wrong_value(error, ColumnMapping)}. Correct the file."
        ) from error


def _refuse_for_tables(mapping: ColumnMapping, name: str) -> None:
    numbered = any(source.row_number for source in mapping.sources.values())
    if numbered or mapping.refunds == "skip":
        what = (
            "row_number: rows of a table have none; use hash_of"
            if numbered
            else ('refunds = "skip": exclude them by the row filter of the publication')
        )
        raise ConfigurationError(f"{TABLE_SETTING.name} names {name}, which has {what}. Correct the file.")


def _read_key(path: str, name: str) -> TokenKey:
    if not path:
        raise ConfigurationError(
            f"the mapping {name} makes tokens, and {TOKEN_KEY_SETTING} is not set. Give the path of a file with a secret "
            f"of at least {_SHORTEST_KEY} bytes, for example of: openssl rand -hex 32"
        )
    try:
        secret = Path(path).read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(
            f"{TOKEN_KEY_SETTING}={path}: {error.strerror}. Correct the path."
        ) from error
    if len(secret) < _SHORTEST_KEY:
        raise ConfigurationError(f"{TOKEN_KEY_SETTING}={path}: the key has fewer than {_SHORTEST_KEY} bytes.")
    return TokenKey(secret)


def _parse(data: bytes, option: MappingOption, declared: Sequence[Field]) -> ColumnMapping:
    keys: dict[str, Any] = msgspec.toml.decode(data)
    if "key" in keys:
        raise msgspec.ValidationError(f"a mapping holds no key; {TOKEN_KEY_SETTING} names its file")
    if "declared" in keys:
        raise msgspec.ValidationError("a mapping declares no fields; a catalog does")
    keys["declared"] = msgspec.to_builtins(declared)
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
