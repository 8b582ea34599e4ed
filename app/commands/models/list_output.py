"""Prints lists, entries and changes, for ``fraudstream lists``."""

import json as json_format
from collections.abc import Iterator
from typing import Any

import msgspec

from app.commands.models.control import utc
from app.lists.changes import Action
from app.lists.validity import EARLIEST_MS, LATEST_MS, Validity
from app.operations.list_changes import AsOf, Logged, history, past_lists
from app.rendering import printing
from app.settings import Settings


async def show_list(list_name: str, as_of: AsOf, valid_at: int, limit: int, *, as_json: bool) -> None:
    """Print the entries that hold at an event time, in the state of a moment of the log."""
    log, shown = await past_lists(Settings.from_env(), as_of), 0
    for entry, validity in log.state.entries(list_name):
        if not validity.contains(valid_at):
            continue
        if shown == limit:
            printing.line(f"and more: --limit {limit} is reached", err=True)
            return
        shown += 1
        fields = {"entry": entry, **_times(validity)}
        if as_json:
            printing.json_text(json_format.dumps(fields))
        else:
            printing.line("  ".join(_words(fields)))
    if not shown and not as_json:
        printing.line(f"{list_name} has no entry then, at offset {log.state.offset}", err=True)


async def show_entry(list_name: str, entry: str, as_of: AsOf, valid_at: int, *, as_json: bool) -> bool:
    """Print the change that decides about an entry; True when it is in the list at the event time."""
    newest = None
    async for logged in history(Settings.from_env(), list_name, entry, as_of):
        newest = logged
    listed = newest is not None and Validity.of(newest.change).contains(valid_at)
    if newest is not None:
        print_change(newest, entry, as_json=as_json, listed=listed)
    if not as_json:
        printing.line(f"{entry} is {'' if listed else 'not '}in {list_name}")
    return listed


async def show_history(list_name: str, entry: str | None, *, as_json: bool) -> None:
    """Print every change of a list, or of an entry of it."""
    async for logged in history(Settings.from_env(), list_name, entry):
        print_change(logged, entry, as_json=as_json)


def print_change(logged: Logged, entry: str | None, *, as_json: bool, **more: Any) -> None:
    """Print one change; of many entries only ``entry``, or the number and the first."""
    offset, change = logged
    if as_json:
        fields = msgspec.to_builtins(change)
        if entry is not None:
            fields["entries"] = [entry]
        printing.json_text(json_format.dumps({"offset": offset, **fields, **more}))
        return
    count = len(change.entries)
    what = change.entries[0] if count == 1 else entry or f"{count:,} entries, the first {change.entries[0]}"
    times = _words(_times(Validity.of(change))) if change.action is Action.ADD else ()
    printing.line(
        "  ".join((str(offset), utc(change.at), change.author, change.action, what, *times, change.reason))
    )


def _times(validity: Validity) -> dict[str, int]:
    bounds = (
        ("valid_from_ms", validity.since_ms, EARLIEST_MS),
        ("valid_to_ms", validity.until_ms, LATEST_MS),
    )
    return {name: time_ms for name, time_ms, unbounded in bounds if time_ms != unbounded}


def _words(fields: dict[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        match name:
            case "valid_from_ms":
                yield f"from {utc(value)}"
            case "valid_to_ms":
                yield f"until {utc(value)}"
            case _:
                yield str(value)
