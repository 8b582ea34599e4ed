"""Texts between quotes: where one ends, and its content."""

import re

from app.domain.safe_text import one_line
from app.expressions.bounds import MOST_TEXT_CHARACTERS
from app.expressions.position import Position, refusal

_CONTENT = {quote: re.compile(rf"(?:[^{quote}\\\n]|\\.)*") for quote in "'\""}
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"\\", "'", '"'}


def end_of_text(text: str, start: int, at: Position) -> int:
    """The offset behind the closing quote of the text that begins at ``start``."""
    quote = text[start]
    found = _CONTENT[quote].match(text, start + 1)
    end = found.end() if found else start + 1
    if text[end : end + 1] != quote:
        raise refusal(at, f"the text is not closed: {quote} is missing at the end of its line")
    return end + 1


def unquoted(quoted: str, at: Position) -> str:
    """The content of a text with its quotes, escapes replaced."""
    inner = quoted[1:-1]
    for index, char in enumerate(inner):
        if not char.isprintable():
            here = Position(at.line, at.column + 1 + index)
            raise refusal(here, f"a text has only printable characters, not '{one_line(char)}'")
    for found in _ESCAPE.finditer(inner):
        if found[1] not in _ESCAPED:
            here = Position(at.line, at.column + 1 + found.start())
            raise refusal(here, f"'{found[0]}' is not an escape: only a quote or \\ may follow \\")
    content = _ESCAPE.sub(r"\1", inner)
    if len(content) > MOST_TEXT_CHARACTERS:
        raise refusal(at, f"a text of {len(content)} characters; at most {MOST_TEXT_CHARACTERS} are allowed")
    return content


def quoted(content: str) -> str:
    r"""The content as a text of an expression.

    >>> quoted("O'Neill"), quoted("a\\b")
    ("'O\\'Neill'", "'a\\\\b'")
    """
    return "'" + content.replace("\\", "\\\\").replace("'", "\\'") + "'"
