"""Splits the text of an expression into tokens. Every pattern is linear: none can match a text in two ways."""

import re
from collections.abc import Iterator
from enum import StrEnum
from keyword import iskeyword
from typing import NamedTuple

from app.domain.safe_text import one_line
from app.expressions.bounds import MOST_CHARACTERS, MOST_DIGITS, MOST_NAME_CHARACTERS
from app.expressions.parsing.quoted_text import end_of_text, unquoted
from app.expressions.position import START, Position, refusal


class TokenKind(StrEnum):
    NAME = "name"
    NUMBER = "number"
    TEXT = "text"
    SYMBOL = "symbol"
    """An operator, a parenthesis, a comma, or one of the words and, or, not, in."""
    END = "end"


class Token(NamedTuple):
    kind: TokenKind
    text: str
    """Of a text: its content without quotes and escapes."""
    at: Position

    @property
    def symbol(self) -> str:
        """The symbol; empty for any other token, a text with the content ``and`` included."""
        return self.text if self.kind is TokenKind.SYMBOL else ""

    def __str__(self) -> str:
        if self.kind is TokenKind.END:
            return "the end"
        return "a text" if self.kind is TokenKind.TEXT else f"'{self.text}'"


WORDS = frozenset({"and", "or", "not", "in"})

_SPACE = re.compile(r"[ \t\r\n]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_AFTER_NUMBER = re.compile(r"[A-Za-z0-9_.]")
_SYMBOL = re.compile(r"[=!<>]=|[-+*/<>(),]")
_FOREIGN = re.compile(r"<>|<<|>>|\*\*|//|&&|\|\||:=|[!-/:-@\[-`{-~]")
_REMEDY = {
    "=": "compare with ==",
    ":=": "compare with ==",
    "<>": "write !=",
    "!": "write not",
    "~": "write not",
    "&&": "write and",
    "&": "write and",
    "||": "write or",
    "|": "write or",
    ".": "names have no attributes, and a number begins with a digit",
    "[": "values after in are in parentheses",
    "{": "values after in are in parentheses",
    "#": "there are no comments",
    "True": "a boolean is a condition by itself: write NAME",
    "False": "a boolean is a condition by itself: write not NAME",
    "None": "write is_missing(NAME)",
    "is": "compare with ==, or write is_missing(NAME)",
}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of an expression, the end last. Raises InvalidExpression at the first character that begins none."""
    if len(text) > MOST_CHARACTERS:
        raise refusal(
            START, f"the expression has {len(text)} characters; at most {MOST_CHARACTERS} are allowed"
        )
    offset, line, line_start = 0, 1, 0
    while offset < len(text):
        space = _SPACE.match(text, offset)
        if space:
            line += space[0].count("\n")
            line_start = text.rfind("\n", 0, space.end()) + 1
            offset = space.end()
        else:
            token, offset = _token(text, offset, Position(line, offset - line_start + 1))
            yield token
    yield Token(TokenKind.END, "", Position(line, offset - line_start + 1))


def _token(text: str, offset: int, at: Position) -> tuple[Token, int]:
    """The token at an offset, and the offset behind it."""
    if text[offset] in "'\"":
        end = end_of_text(text, offset, at)
        return Token(TokenKind.TEXT, unquoted(text[offset:end], at), at), end
    if name := _NAME.match(text, offset):
        return Token(_kind_of_name(name[0], at), name[0], at), name.end()
    if number := _NUMBER.match(text, offset):
        _check_number(number, text[number.end() : number.end() + 1], at)
        return Token(TokenKind.NUMBER, number[0], at), number.end()
    foreign, symbol = _FOREIGN.match(text, offset), _SYMBOL.match(text, offset)
    if symbol and (foreign is None or len(symbol[0]) >= len(foreign[0])):
        return Token(TokenKind.SYMBOL, symbol[0], at), symbol.end()
    raise refusal(at, _not_part(foreign[0] if foreign else text[offset]))


def _kind_of_name(name: str, at: Position) -> TokenKind:
    if name in WORDS:
        return TokenKind.SYMBOL
    if iskeyword(name):
        raise refusal(at, _not_part(name))
    if len(name) > MOST_NAME_CHARACTERS:
        raise refusal(at, f"a name of {len(name)} characters; at most {MOST_NAME_CHARACTERS} are allowed")
    return TokenKind.NAME


def _check_number(number: re.Match[str], following: str, at: Position) -> None:
    if _AFTER_NUMBER.match(following):
        raise refusal(
            at,
            f"'{number[0]}{following}' begins no number: digits with at most one point between them, "
            "and a space before a currency, as in 100 EUR",
        )
    whole, fraction = number[1], number[2] or ""
    if len(whole) > 1 and whole.startswith("0"):
        raise refusal(at, "a number does not begin with 0; a code is a text, as in '0742'")
    if len(whole.lstrip("0") + fraction) > MOST_DIGITS:
        raise refusal(at, f"a number has at most {MOST_DIGITS} digits")


def _not_part(symbol: str) -> str:
    if symbol in _REMEDY:
        return f"'{symbol}' is not part of expressions: {_REMEDY[symbol]}"
    if symbol.isascii() and symbol.isprintable():
        return f"'{symbol}' is not part of expressions"
    return f"the character '{one_line(symbol)}' (U+{ord(symbol):04X}) is not part of expressions outside of texts"
