"""Money is an integer of minor units and a currency; a decimal point is only ever drawn for people."""

_EXPONENTS = dict.fromkeys(
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
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
"""ISO 4217 currencies whose minor unit is not a hundredth."""


def minor_digits(currency: str) -> int:
    """How many decimals the currency's minor unit stands for."""
    return _EXPONENTS.get(currency, 2)


def display(amount_minor: int, currency: str) -> str:
    """The amount as people write it.

    >>> display(123456, "EUR"), display(500, "JPY"), display(1234, "KWD")
    ('1,234.56 EUR', '500 JPY', '1.234 KWD')
    """
    digits = minor_digits(currency)
    whole, fraction = divmod(amount_minor, 10**digits)
    point = f".{fraction:0{digits}d}" if digits else ""
    return f"{whole:,}{point} {currency}"
