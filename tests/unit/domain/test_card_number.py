"""Texts that hold a primary account number, and those that only look so."""

import hashlib
import uuid
from random import Random

import pytest

from app.domain.card_number import contains_card_number

SCHEMES = {
    "Visa": "4111111111111111",
    "Visa, 13 digits": "4222222222222",
    "Visa, 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard, 2 series": "2223003122003222",
    "American Express": "378282246310005",
    "Diners Club": "30569309025904",
    "Diners Club, 38": "38520000023237",
    "Discover": "6011111111111117",
    "JCB": "3530111333300000",
    "UnionPay": "6200000000000005",
    "Maestro": "6759649826438453",
}


@pytest.mark.parametrize("number", SCHEMES.values(), ids=SCHEMES.keys())
def test_the_test_numbers_of_the_schemes_are_found(number: str) -> None:
    assert contains_card_number(number)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "pan=4111111111111111;",
        "(4111111111111111)",
        "3782 822463 10005",
        "3056-930902-5904",
    ],
)
def test_a_number_is_found_as_people_write_it(text: str) -> None:
    assert contains_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111",
        "4111111111111112",  # its check digit is wrong
        "9111111111111111",  # no issuer
        "1234567890123",
        "0000000000000000",
        "41111111111111111111",  # twenty digits
        "tok_4111111111111111x",
        "a4111111111111111",
        "1760000000000",  # a time in milliseconds
        "customer-00000000000000042",
        "51432822-6786-4693-b20f-7945af06222e",  # groups of a UUID that would add up to a card
        "411-1111-1111-11111",  # no card is printed so
    ],
)
def test_other_numbers_are_not(text: str) -> None:
    assert not contains_card_number(text)


def test_uuids_and_hex_digests_are_not() -> None:
    """Most tokens are; a digest may hold long runs of digits."""
    random = Random(1)
    tokens = [uuid.UUID(int=random.getrandbits(128), version=4) for _ in range(20_000)]
    digests = [hashlib.sha256(str(token).encode()).hexdigest() for token in tokens]

    assert [str(token) for token in tokens if contains_card_number(str(token))] == []
    assert [digest for digest in digests if contains_card_number(digest)] == []
