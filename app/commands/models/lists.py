"""``fraudstream lists``: change the lists of rules, and show them as of now or of a past moment."""

import json as json_format
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.shared.times import milliseconds, time_option
from app.rendering import printing

if TYPE_CHECKING:
    from app.lists.changes import ListChange

commands = typer.Typer(
    no_args_is_help=True,
    help="Add, remove, import and show entries of lists of rules, and who changed them, why and when.",
)

SHOWN = 1_000
ListArgument = Annotated[str, typer.Argument(metavar="LIST", help="As the policy declares it.")]
Entries = Annotated[list[str], typer.Argument(metavar="ENTRY...", help="Whole texts of the field.")]
MaybeEntry = Annotated[str | None, typer.Argument(metavar="[ENTRY]", help="Only this entry.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the entries.")]
Author = Annotated[str | None, typer.Option(help="Who; kept with the entries. Default: USER@HOST.")]
Since = Annotated[
    datetime | None, time_option("The entries hold from this event time on. Default: for all.", "--from")
]
Until = Annotated[
    datetime | None,
    time_option("The entries hold for event times before this one. Default: for ever.", "--until"),
]
At = Annotated[datetime | None, time_option("As a transaction of this time was decided then.")]
Offset = Annotated[
    int | None, typer.Option(min=0, help="After the record at this offset, such as a decision names.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@commands.command()
def add(
    list_name: ListArgument,
    entries: Entries,
    *,
    reason: Reason,
    author: Author = None,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Add entries to a list; every worker follows within a second.

    An entry that is in the list gets the new validity. Nothing is written for
    one that already has it.
    """
    _change(_made(list_name, "add", reason, author, since, until), _checked(entries), json=json)


@commands.command()
def remove(
    list_name: ListArgument,
    entries: Entries,
    *,
    reason: Reason,
    author: Author = None,
    json: Json = False,
) -> None:
    """Remove entries from a list; every worker follows within a second."""
    _change(_made(list_name, "remove", reason, author), _checked(entries), json=json)


@commands.command("import")
def import_file(
    list_name: ListArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="One entry a line, or CSV with a head (.csv).")
    ],
    *,
    reason: Reason,
    author: Author = None,
    since: Since = None,
    until: Until = None,
    column: Annotated[str | None, typer.Option(help="The column of a CSV file that has several.")] = None,
    json: Json = False,
) -> None:
    """Add all entries of a file, which may be millions.

    The whole file is checked before anything is written. Entries take effect
    as they are written. An interrupted import is finished by the same command:
    it writes only what is not in the list yet.
    """
    from app.operations.list_files import entries_of
    from app.settings import Settings

    change = _made(list_name, "add", reason, author, since, until)
    _change(change, entries_of(file, column, Settings.from_env().files.line_bytes), json=json)


@commands.command()
def show(
    list_name: ListArgument,
    entry: MaybeEntry = None,
    *,
    at: At = None,
    offset: Offset = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most this many entries.")] = SHOWN,
    json: Json = False,
) -> None:
    """Print the entries of a list that hold now, or held at a past moment; for one ENTRY also who added it and why.

    Exit code 1 if ENTRY is not in the list then.
    """
    import asyncio
    import time

    from app.commands.models.list_output import show_entry, show_list
    from app.operations.list_changes import AsOf

    time_ms = milliseconds(at)
    valid_at = time.time_ns() // 1_000_000 if time_ms is None else time_ms
    as_of = AsOf(offset, time_ms)
    if entry is None:
        asyncio.run(show_list(list_name, as_of, valid_at, limit, as_json=json))
    elif not asyncio.run(show_entry(list_name, entry, as_of, valid_at, as_json=json)):
        raise typer.Exit(1)


@commands.command()
def history(list_name: ListArgument, entry: MaybeEntry = None, *, json: Json = False) -> None:
    """Print every change of a list, or of one ENTRY: offset, time, author, what and why."""
    import asyncio

    from app.commands.models.list_output import show_history

    asyncio.run(show_history(list_name, entry, as_json=json))


def _made(
    list_name: str,
    action: str,
    reason: str,
    author: str | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> "ListChange":
    """The change without its entries. Raises BadParameter for what its contract refuses."""
    import os
    import time

    import msgspec

    from app.lists.changes import ListChange
    from app.operations.skip_records import operator

    fields = {
        "list": list_name,
        "entries": ["?"],
        "action": action,
        "valid_from_ms": milliseconds(since),
        "valid_to_ms": milliseconds(until),
        "reason": reason.strip(),
        "author": (operator(os.environ) if author is None else author).strip(),
        "at": time.time_ns() // 1_000_000,
    }
    try:
        return msgspec.convert(fields, ListChange)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None


def _checked(entries: list[str]) -> Iterator[list[str]]:
    from app.lists.changes import MOST_ENTRIES
    from app.operations.list_files import EntryCheck

    check, texts = EntryCheck(), [entry.strip() for entry in entries]
    for text in texts:
        if why := check.refusal(text) if text else "an entry is empty":
            raise typer.BadParameter(why)
    for first in range(0, len(texts), MOST_ENTRIES):
        yield texts[first : first + MOST_ENTRIES]


def _change(change: "ListChange", groups: Iterator[list[str]], *, json: bool) -> None:
    import asyncio

    from app.commands.shared.progress import rows_progress
    from app.operations.list_changes import plan, read_lists, write
    from app.settings import Settings

    settings = Settings.from_env()
    log = asyncio.run(read_lists(settings))
    planned = plan(log, change, groups)
    with rows_progress("writing records", len(planned.records)) as on_sent:
        offset = (
            asyncio.run(write(settings, planned.records, on_sent)) if planned.records else log.state.offset
        )
    counts = {
        "list": change.list_name,
        "changed": planned.changed,
        "unchanged": planned.unchanged,
        "offset": offset,
    }
    if json:
        printing.json_text(json_format.dumps(counts))
        return
    if planned.is_new_list and planned.records:
        printing.line(f"{change.list_name} is a new list: a policy must declare it under this name", err=True)
    printing.line(
        f"{planned.changed:,} entries changed, {planned.unchanged:,} already so; the lists are at offset {offset}"
    )
