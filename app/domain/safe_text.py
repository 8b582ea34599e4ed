"""Text that cannot act where it is shown: the one set of rules for consoles, logs, HTML, CSV files and error messages.

Values in records, headers, files, schemas and bundles come from other parties. A console executes control characters, a
line break forges a line of a log, bidirectional overrides reorder what a reader sees, and a spreadsheet computes a cell
that begins like a formula. Everything that is not printable is therefore shown as its escape sequence.
"""

import html
import re

INDENT = "    "
"""Before each further line of a text, so that no line of a value looks like one of the program."""

_NOT_JSON_TEXT = re.compile(r"[^\x20-\x7e]")
_LINE_BREAKS_OF_JSON = str.maketrans("\n\r\t", "   ")
_USER_INFO = re.compile(r"(?<=://)[^\s\"'<>]*@")
_QUERY = re.compile(r"(://[^\s?\"'<>]*)\?[^\s\"'<>\\]*")
_CONCEALED = "***"
# OWASP's list for CSV injection, with the full-width signs that spreadsheets read as the narrow ones.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def one_line(text: str) -> str:
    r"""Escape everything that is not printable: control characters, line breaks, bidirectional overrides, lone surrogates.

    >>> one_line("a\x1b[2J\n\u202eé")
    'a\\x1b[2J\\n\\u202eé'
    """
    return text if text.isprintable() else "".join(map(escaped, text))


def escaped(char: str) -> str:
    """The character, or its escape sequence if it is not printable."""
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def many_lines(text: str) -> str:
    r"""As ``one_line``, but line breaks stay, and every further line is indented.

    >>> many_lines("it failed\nall is well")
    'it failed\n    all is well'
    """
    return f"\n{INDENT}".join(map(one_line, text.split("\n")))


def in_json(text: str) -> str:
    r"""Escape in JSON text what is not printable, by JSON's own escapes: the value of the document stays the same.

    >>> in_json('{"a": "\x9b\u202eé"}')
    '{"a": "\\u009b\\u202eé"}'
    """
    return "\n".join(
        line if line.isprintable() else _NOT_JSON_TEXT.sub(_json_escape, line) for line in text.split("\n")
    )


def json_line(record: bytes) -> str:
    """A record of JSON as one line. Line breaks between its parts become spaces; bytes that are not UTF-8 are escaped."""
    return in_json(record.decode("utf-8", "surrogateescape").translate(_LINE_BREAKS_OF_JSON))


def in_html(text: str) -> str:
    """Escape what is not printable, then what HTML reads as markup."""
    return html.escape(one_line(text))


def in_csv(text: str) -> str:
    r"""The text of a CSV cell. What a spreadsheet would compute gets an apostrophe in front; numbers stay numbers.

    Different texts stay different: texts that already have apostrophes in front of a formula get one more.

    >>> in_csv("=1+1"), in_csv("-5.2"), in_csv("'=x"), in_csv("O'Neill")
    ("'=1+1", '-5.2', "''=x", "O'Neill")
    """
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return one_line(f"'{text}" if is_formula else text)


def without_credentials(text: str) -> str:
    """Replace user, password and query of every URL in the text; they may hold secrets.

    >>> without_credentials("http://risk:secret@host:80/path?key=secret does not answer")
    'http://***@host:80/path?*** does not answer'
    """
    return _QUERY.sub(rf"\1?{_CONCEALED}", _USER_INFO.sub(f"{_CONCEALED}@", text))


def _json_escape(found: re.Match[str]) -> str:
    char = found.group()
    if char.isprintable():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
