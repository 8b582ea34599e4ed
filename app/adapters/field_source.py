"""How a field is made of a row where it is not simply the value of a column: the tables under ``[columns]`` of a mapping.

    transaction_id = { row_number = true }                        # 1, 2, 3, ...; files only
    transaction_id = { hash_of = ["User", "Card", "Time"] }       # 32 hexadecimal digits
    customer_id = { column = "cc_num", token = true }             # keyed token, for card numbers
    terminal_id = { value = "unknown" }                           # the same for every row
    event_time = { template = "{Year}-{Month:02}-{Day:02} {Time}" }
    event_time = { column = "step", origin = 2017-01-01T00:00:00Z, step_seconds = 3600 }
    amount_minor = { column = "Amount", strip = "$," }
    currency = { column = "data.object.currency", case = "upper", default = "USD" }
    is_fraud = { column = "Is Fraud?", values = { Yes = "1", No = "0" } }

A name with dots that is no column is a path into nested objects. The text is built, then ``default`` (for null), ``strip``,
``case``, ``values``, ``token`` and the clock apply, in this order.
"""

import re
import typing
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Case = typing.Literal["upper", "lower"]

PART = re.compile(r"\{([^{}:]+)(?::0?([0-9]{1,2}))?\}")
"""A column in a template, with the width to which its value is padded with zeros."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a field is made of: exactly one of the first five keys. Raises ValueError for any other number of them."""

    column: str | None = None
    template: str | None = None
    """Text with the values of columns in braces; null where one of them is null."""
    value: str | None = None
    row_number: bool = False
    hash_of: tuple[str, ...] = ()
    """Columns. Rows with the same values have the same hash, and are repeats of each other."""
    default: str | None = None
    """In place of null, and of a column that does not exist."""
    strip: str = ""
    """Characters to remove, wherever they are."""
    case: Case | None = None
    values: dict[str, str] = {}
    """Other text for some values; the others stay."""
    token: bool = False
    """Replace the value by an HMAC-SHA-256 with the key in FRAUDSTREAM_MAPPING_TOKEN_KEY_FILE."""
    origin: datetime | None = None
    """The time of 0 of a relative clock, with its offset."""
    step_seconds: Annotated[float, Meta(gt=0)] = 1
    """Duration of one step of that clock."""

    def __post_init__(self) -> None:
        given = [
            name for name in ("column", "template", "value", "row_number", "hash_of") if getattr(self, name)
        ]
        if len(given) != 1:
            raise ValueError("give one of column, template, value, row_number and hash_of")
        if self.template is not None and not PART.search(self.template):
            raise ValueError("template names no column in braces, as in {Year}")
        if self.origin is not None and self.origin.tzinfo is None:
            raise ValueError("origin needs its offset, as in 2017-01-01T00:00:00Z")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of."""
        if self.template is not None:
            return tuple(name for name, _ in PART.findall(self.template))
        return (self.column,) if self.column else self.hash_of


class TokenKey:
    """The secret of keyed tokens; never printed."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return "TokenKey(...)"
