"""A batch of transactions as columns: plain Python lists, ready for a fast loop."""

from collections.abc import Iterator

import msgspec

from app.domain.transaction import Transaction

Texts = list[str | None] | None
"""An optional column: None where the file has none, else a list with None where a row has none."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows ``first_row ...`` of a file (counted from 1), in file order, valid by the contract.

    The lists are the batch's own: read them, do not change them.
    """

    first_row: int
    transaction_id: list[str]
    customer_id: list[str]
    terminal_id: list[str]
    event_time: list[int]
    amount_minor: list[int]
    currency: list[str]
    channel: Texts = None
    mcc: Texts = None
    country: Texts = None
    device_id: Texts = None
    card_token: Texts = None
    latitude: list[float | None] | None = None
    longitude: list[float | None] | None = None
    is_fraud: list[bool] | None = None
    fraud_pattern: Texts = None
    """The pattern of a fraudulent row, None for the others."""

    def __len__(self) -> int:
        return len(self.transaction_id)

    def transactions(self) -> Iterator[Transaction]:
        """One Transaction per row, in order; labels are left behind."""
        given = [(name, getattr(self, name)) for name in Transaction.__struct_fields__]
        names = [name for name, column in given if column is not None]
        for row in zip(*(column for _, column in given if column is not None), strict=True):
            yield Transaction(**dict(zip(names, row, strict=True)))

    def columns(self) -> dict[str, list[object]]:
        """The columns that are there, by field name, in the contract's order."""
        fields = self.__struct_fields__[1:]
        return {name: column for name in fields if (column := getattr(self, name)) is not None}
