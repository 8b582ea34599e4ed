"""What commands print as plain text. Every value passes ``app.domain.safe_text``: what others wrote cannot act on a console.

A text is one line, so that a line break in a value cannot forge another line. ``console.py`` does the same for tables. A
test refuses every other way to print (tests/unit/outputs/test_ways_out.py).
"""

import sys
from collections.abc import Iterable

import typer

from app.domain.safe_text import in_json, json_line, many_lines, one_line, without_credentials
from app.errors import ConfigurationError


def line(text: str, *, colour: str | None = None, err: bool = False, end: bool = True) -> None:
    """Print a text as one line. Credentials in URLs are concealed."""
    typer.secho(one_line(without_credentials(text)), fg=colour, err=err, nl=end)


def lines(texts: Iterable[str]) -> None:
    """Print each text as one line."""
    for text in texts:
        line(text)


def error(text: str) -> None:
    """Print an error on standard error; its further lines are indented."""
    typer.secho(many_lines(without_credentials(text)), fg=typer.colors.RED, err=True)


def json_text(text: str) -> None:
    """Print a JSON document, whose value stays the same."""
    typer.echo(in_json(text))


def json_record(record: bytes) -> None:
    """Print a record of JSON as one line, whose value stays the same."""
    typer.echo(json_line(record))


def own_text(text: str) -> None:
    """Print a text of several lines that this program has generated, such as a schema."""
    typer.echo("\n".join(map(one_line, text.split("\n"))), nl=False)


def raw(value: bytes) -> None:
    """Write bytes unchanged, except to a console, which could execute them. Raises ConfigurationError for a console."""
    if sys.stdout.isatty():
        raise ConfigurationError(
            "raw bytes are not written to a console, which could execute them. Redirect them: `> FILE`, or `| xxd`."
        )
    sys.stdout.buffer.write(value)
    sys.stdout.buffer.flush()


def confirm(question: str) -> None:
    """Ask a question. Raises typer.Abort unless the answer is yes."""
    typer.confirm(one_line(question), abort=True)
