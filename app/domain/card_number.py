"""Recognises primary account numbers (card numbers) in text, which must never be stored (PCI DSS 3.5.1)."""

import re
import unicodedata

_SEPARATOR = "[ ._/-]"
# Not within a longer word, and only in the groups of printed cards, so that UUIDs and digests do not match.
_RUN = re.compile(
    "(?<![0-9A-Za-z])"
    "(?:[0-9]{13,19}"
    f"|[0-9]{{4}}(?:{_SEPARATOR}[0-9]{{4}}){{3}}(?:{_SEPARATOR}[0-9]{{1,3}})?"
    f"|[0-9]{{4}}{_SEPARATOR}[0-9]{{6}}{_SEPARATOR}[0-9]{{4,5}})"
    "(?![0-9A-Za-z])"
)
_NO_SEPARATOR = str.maketrans("", "", " ._/-")
SHORTEST = 13
"""Fewest digits of a card number."""

# Prefixes of issuers with the lengths of their numbers (ISO/IEC 7812, public ranges of the card schemes).
_ISSUERS = re.compile(
    "4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    "|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|2720[0-9]{12}"  # Mastercard
    "|3[47][0-9]{13}"  # American Express
    "|3(?:0[0-5]|[689][0-9])[0-9]{11}"  # Diners Club
    "|35[2-8][0-9]{13,16}"  # JCB
    "|6(?:011|22|4[4-9]|5[0-9]|2[0-9])[0-9]{10,16}"  # Discover, UnionPay
    "|(?:50|5[6-9]|6[0-9])[0-9]{11,17}"  # Maestro
)


def contains_card_number(text: str) -> bool:
    """Whether ``text`` contains 13 to 19 digits with the prefix of an issuer and a valid Luhn check digit."""
    return any(map(has_valid_check_digit, card_shaped(text)))


def card_shaped(text: str) -> list[str]:
    """The digits of each part of ``text`` with the length and the prefix of a card number. The check digit is not checked."""
    if len(text) < SHORTEST:
        return []
    runs = (run.translate(_NO_SEPARATOR) for run in _RUN.findall(text if text.isascii() else _as_ascii(text)))
    return [digits for digits in runs if _ISSUERS.fullmatch(digits)]


def _as_ascii(text: str) -> str:
    """Digits of every script, dashes and spaces as their ASCII characters, without characters that are not visible."""
    return "".join(map(_ascii_char, unicodedata.normalize("NFKC", text)))


def _ascii_char(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return {"Pd": "-", "Zs": " ", "Cf": ""}.get(category, "-" if char == "\N{MINUS SIGN}" else char)


def has_valid_check_digit(digits: str) -> bool:
    """Whether the last digit is the check digit of the others. True for one in ten random numbers, for every card number."""
    return _luhn_sum(digits) % 10 == 0


def _luhn_sum(digits: str) -> int:
    """Return the Luhn sum (ISO/IEC 7812-1, annex B): every second digit from the right doubled, digits of products added."""
    odd = sum(map(int, digits[-1::-2]))
    return odd + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
