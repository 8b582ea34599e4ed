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
        "card_4111_1111_1111_1111",
        "4111 1111-1111.1111",
        "4000-0000-0000-0000-006",
        "\N{FULLWIDTH DIGIT FOUR}111111111111111",
    ],
)
def test_a_number_is_found_as_people_write_it(text: str) -> None:
    assert contains_card_number(text)


SEPARATORS = (
    *" -._/",
    "\N{NO-BREAK SPACE}",
    "\N{THIN SPACE}",
    "\N{IDEOGRAPHIC SPACE}",
    "\N{NON-BREAKING HYPHEN}",
    "\N{EN DASH}",
    "\N{EM DASH}",
    "\N{MINUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH FULL STOP}",
    "\N{FULLWIDTH LOW LINE}",
    "\N{FULLWIDTH SOLIDUS}",
    "\N{ZERO WIDTH SPACE}",
    "\N{SOFT HYPHEN}",
)
ZEROS = "0\N{FULLWIDTH DIGIT ZERO}\N{ARABIC-INDIC DIGIT ZERO}\N{DEVANAGARI DIGIT ZERO}\N{MATHEMATICAL BOLD DIGIT ZERO}"


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
@pytest.mark.parametrize("groups", ["4111 1111 1111 1111", "3782 822463 10005", "3056 930902 5904"])
def test_separators_do_not_hide_a_number(groups: str, separator: str) -> None:
    assert contains_card_number(groups.replace(" ", separator))


@pytest.mark.parametrize("zero", ZEROS, ids=ascii)
@pytest.mark.parametrize("number", SCHEMES.values(), ids=SCHEMES.keys())
def test_digits_of_every_script_are_digits(number: str, zero: str) -> None:
    assert contains_card_number("".join(chr(ord(zero) + int(digit)) for digit in number))


def test_invisible_characters_do_not_hide_a_number() -> None:
    assert contains_card_number("\N{ZERO WIDTH JOINER}".join("4111111111111111"))


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
        "411.1111.1111.11111",
        "2001:4860:4860:8888",  # an address
        "4111//1111//1111//1111",
        "4111_1111_1111_1112",  # its check digit is wrong
        "2026/11/30/4111/1111",
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
