"""What commands print as plain text. Every value passes ``app.domain.safe_text``: what others wrote cannot act on a console.

A text is one line, so that a line break in a value cannot forge another line. ``console.py`` does the same for tables. A
test refuses every other way to print (tests/unit/outputs/test_ways_out.py).
"""

import sys
from collections.abc import Iterable, Sequence

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


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns. The last column is not padded; the head is for people (``head_line``)."""
    shown = [[one_line(without_credentials(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    if shown:
        head_line(_row(head, widths))
    for row in shown:
        typer.echo(_row(row, widths))


def head_line(text: str) -> None:
    """Print the names of columns on a console. Programs that read a pipe expect rows only."""
    if sys.stdout.isatty():
        typer.secho(one_line(text), bold=True)


def hint(command: str) -> None:
    """Name the command that usually follows, for people: on standard error, and only if it is a console."""
    if sys.stderr.isatty():
        typer.secho(one_line(f"next: {command}"), dim=True, err=True)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


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
