"""Names that could not be written in an expression, or would be ambiguous, are refused when they are declared."""

import pytest

from app.errors import ConfigurationError
from app.expressions.names import Field, Kind, Names


@pytest.mark.parametrize(
    ("columns", "lists", "message"),
    [
        ([Field("1a", Kind.NUMBER)], (), "'1a' is no name"),
        ([Field("and", Kind.NUMBER)], (), "'and' is no name"),
        ([Field("lambda", Kind.NUMBER)], (), "'lambda' is no name"),
        ([Field("a" * 65, Kind.NUMBER)], (), "is no name"),
        ([Field("é", Kind.NUMBER)], (), "is no name"),
        ([Field("a\n", Kind.NUMBER)], (), "is no name"),
        ([], ("a b",), "'a b' is no name"),
        ([Field("a", Kind.NUMBER), Field("a", Kind.TEXT)], (), "a stands for two things"),
        ([Field("a", Kind.NUMBER)], ("a",), "a stands for two things"),
        ([Field("a", Kind.CATEGORY)], (), "a: a category, and nothing else, has values"),
        ([Field("a", Kind.TEXT, ("b",))], (), "a: a category, and nothing else, has values"),
        ([Field("a", Kind.CATEGORY, ("b\u202e",))], (), "is no value that an expression can name"),
        ([Field("a", Kind.CATEGORY, ("b" * 257,))], (), "is no value that an expression can name"),
    ],
)
def test_a_wrong_declaration_is_refused(columns: list[Field], lists: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Names(tuple(columns), "EUR", lists)


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "€"])
def test_a_wrong_currency_is_refused(currency: str) -> None:
    with pytest.raises(ConfigurationError, match="three capital letters"):
        Names((), currency)
