"""Transactions, the events to score: the contract of ``payments.transactions.v1``, one record per transaction."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.bounded import LATEST_MS

MAX_AMOUNT_MINOR = 10**15
"""The largest accepted amount. Every amount up to it is exact in a double."""

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
AmountMinor = Annotated[
    int, Meta(ge=0, le=MAX_AMOUNT_MINOR, description="Amount in the currency's minor unit; never a float.")
]
EventTime = Annotated[int, Meta(description="Event time, milliseconds since the epoch, UTC.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217 code.")]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166-1 alpha-2 code.")]
Mcc = Annotated[
    str, Meta(pattern="^[0-9]{4}$", max_length=4, description="ISO 18245 merchant category code.")
]
Token = Annotated[str, Meta(min_length=1, max_length=64)]
DecideBy = Annotated[
    int,
    Meta(
        ge=0,
        le=LATEST_MS,
        description="When the answer is needed, milliseconds since the epoch, UTC; later the policy's deadline answers.",
    ),
]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class Transaction(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A card or transfer transaction before settlement. Unknown fields are ignored; card data comes as a token only."""

    transaction_id: Identifier
    customer_id: Identifier
    terminal_id: Identifier
    event_time: EventTime
    amount_minor: AmountMinor
    currency: Currency
    channel: Token | None = None
    mcc: Mcc | None = None
    country: Country | None = None
    device_id: Token | None = None
    card_token: Token | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    decide_by: DecideBy | None = None

    def __post_init__(self) -> None:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude come together")
