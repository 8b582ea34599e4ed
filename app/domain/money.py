"""Money is an integer of minor units and a currency; only display texts contain a decimal point."""

from decimal import Decimal

MOST_DIGITS = 40
"""More digits than any amount has; longer numbers are rejected before they cost time."""

_EXPONENTS = (
    dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    )
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)
"""ISO 4217 currencies whose minor unit is not a hundredth."""


def minor_digits(currency: str) -> int:
    """Return the number of decimals of a currency."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """Return the exact amount in minor units of the currency. Raises ValueError if it is not a whole number of them.

    >>> to_minor(Decimal("12.50"), "EUR"), to_minor(Decimal("12.500"), "KWD"), to_minor(Decimal("1E+2"), "JPY")
    (1250, 12500, 100)
    """
    if not amount.is_finite():
        raise ValueError("the amount is not a number")
    sign, digits, exponent = amount.as_tuple()
    shift = int(exponent) + minor_digits(currency)
    if len(digits) + abs(shift) > MOST_DIGITS:
        raise ValueError("the amount has more digits than any amount")
    # Only integers: a decimal context would round, and a float would not be exact.
    unscaled = int("".join(map(str, digits)))
    whole, rest = divmod(unscaled * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if rest:
        raise ValueError("the amount has more decimals than its currency")
    return -whole if sign else whole


def display(amount_minor: int, currency: str) -> str:
    """Return the amount as text for people.

    >>> display(123456, "EUR"), display(500, "JPY"), display(1234, "KWD")
    ('1,234.56 EUR', '500 JPY', '1.234 KWD')
    """
    digits = minor_digits(currency)
    whole, fraction = divmod(amount_minor, 10**digits)
    point = f".{fraction:0{digits}d}" if digits else ""
    return f"{whole:,}{point} {currency}"
