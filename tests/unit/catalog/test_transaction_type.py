"""Declared fields are decoded and validated by every door as the fields of the contract are."""

from typing import Any

import msgspec
import pytest

from app.catalog.definitions import Field
from app.catalog.transaction_type import transaction_type
from app.domain.transaction import Transaction
from app.expressions.names import Kind

DECLARED = (
    Field(name="payee_id", kind=Kind.IDENTIFIER, max_length=8),
    Field(name="entry_mode", kind=Kind.CATEGORY, values=("chip", "keyed")),
    Field(name="device_trust", kind=Kind.NUMBER, minimum=0, maximum=1),
    Field(name="balance_minor", kind=Kind.MONEY),
    Field(name="strong_auth", kind=Kind.BOOLEAN),
    Field(name="payee_added", kind=Kind.TIME),
)
PAYMENT = transaction_type(DECLARED)
CONTRACT = {
    "transaction_id": "t1",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": 1_760_000_000_000,
    "amount_minor": 100,
    "currency": "EUR",
}
VALUES = {
    "payee_id": "p1",
    "entry_mode": "chip",
    "device_trust": 0.25,
    "balance_minor": -5_000,
    "strong_auth": True,
    "payee_added": 1_750_000_000_000,
}


def decoded(**fields: Any) -> Transaction:
    return msgspec.json.decode(msgspec.json.encode(CONTRACT | fields), type=PAYMENT)


def test_declared_fields_are_decoded_and_written_again() -> None:
    found = decoded(**VALUES)

    assert isinstance(found, Transaction)
    assert {name: getattr(found, name) for name in VALUES} == VALUES
    assert msgspec.json.decode(msgspec.json.encode(found)) == CONTRACT | VALUES


def test_optional_fields_may_be_absent_or_null() -> None:
    assert decoded() == decoded(**dict.fromkeys(VALUES))
    assert msgspec.json.decode(msgspec.json.encode(decoded())) == CONTRACT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payee_id", ""),
        ("payee_id", "x" * 9),
        ("payee_id", 7),
        ("entry_mode", "chipp"),
        ("device_trust", 1.5),
        ("device_trust", "0.5"),
        ("balance_minor", 10**15 + 1),
        ("balance_minor", 12.5),
        ("strong_auth", "yes"),
        ("payee_added", 2**60),
    ],
)
def test_a_value_against_its_declaration_is_refused_with_the_name_of_its_field(name: str, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        decoded(**{name: value})


def test_a_required_field_must_be_there() -> None:
    payment = transaction_type((Field(name="payee_id", kind=Kind.IDENTIFIER, required=True),))

    with pytest.raises(msgspec.ValidationError, match="payee_id"):
        msgspec.convert(CONTRACT, payment)
    with pytest.raises(msgspec.ValidationError, match="payee_id"):
        msgspec.convert(CONTRACT | {"payee_id": None}, payment)


def test_the_contract_is_checked_too() -> None:
    with pytest.raises(msgspec.ValidationError, match="come together"):
        decoded(latitude=1.0)
    with pytest.raises(msgspec.ValidationError, match="currency"):
        decoded(currency="eur")


def test_equal_declarations_have_one_type() -> None:
    assert transaction_type(DECLARED) is PAYMENT
    assert transaction_type(()) is Transaction
