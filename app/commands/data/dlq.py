"""``fraudstream dlq``: list, print and resend dead letters; leave out records that cannot be read."""

import json as json_format
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from app.commands.shared.times import milliseconds, time_option
from app.errors import InvalidReason
from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from app.adapters.kafka.records import OutRecord
    from app.adapters.topic_records.dead_letters import DeadLetter, DeadLetters, LogPosition
    from app.settings import Settings
    from app.traffic.resend import Refused

commands = typer.Typer(
    no_args_is_help=True, help="List, print and resend dead letters: records that cannot be scored."
)

PERSONAL_DATA = "The record follows. It may hold personal data: do not paste it into a ticket."
REFUSED_LINES = 10
SUMMARY_HEAD = f"{'LETTERS':>8}  CODE"


def _position(text: "str | LogPosition") -> "LogPosition":
    from app.adapters.topic_records.dead_letters import LogPosition

    partition, _, offset = str(text).partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise typer.BadParameter(f"`{text}` is not PARTITION:OFFSET")
    return LogPosition(int(partition), int(offset))


Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Code = Annotated[
    InvalidReason | None,
    typer.Option(metavar="CODE", help="Only dead letters with this error code (docs/data/dead-letters.md)."),
]
Since = Annotated[datetime | None, time_option("Only dead letters written from this time on.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after this many.")]


class Selection(NamedTuple):
    """The dead letters that the options of a command name."""

    positions: "tuple[LogPosition, ...]" = ()
    code: InvalidReason | None = None
    since_ms: int | None = None
    limit: int | None = None

    async def of(self, letters: "DeadLetters") -> "AsyncIterator[DeadLetter]":
        """Yield at most ``limit`` of them. Raises BadParameter when a named one does not exist."""
        found = 0
        async for letter in self._named(letters) if self.positions else letters.all(self.since_ms):
            if self.code in {None, letter.code}:
                yield letter
                found += 1
                if found == self.limit:
                    return

    async def _named(self, letters: "DeadLetters") -> "AsyncIterator[DeadLetter]":
        for position in self.positions:
            letter = await letters.at(position)
            if letter is None:
                raise typer.BadParameter(f"there is no dead letter at {position}; it may have been deleted")
            yield letter


@commands.command("ls")
def ls(
    *,
    code: Code = None,
    since: Since = None,
    limit: Limit = None,
    summary: Annotated[bool, typer.Option("--summary", help="Print only the number per error code.")] = False,
    json: Json = False,
) -> None:
    """Print dead letters, one per line, without the content of their records.

    Columns: partition and offset, time, error code, description, source.
    """
    import asyncio

    from app.settings import Settings

    selection = Selection(code=code, since_ms=milliseconds(since), limit=limit)
    asyncio.run(_ls(Settings.from_env(), selection, summary=summary, as_json=json))


@commands.command("show")
def show(
    position: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="The dead letter.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write only the bytes of the value.")] = False,
    json: Json = False,
) -> None:
    """Print one dead letter with its record, which may hold personal data."""
    import asyncio

    from app.settings import Settings

    letter = asyncio.run(_one(Settings.from_env(), _position(position)))
    printing.line(PERSONAL_DATA, colour=typer.colors.YELLOW, err=True)
    if raw:
        printing.raw(letter.value or b"")
    else:
        _print_record(letter, as_json=json)


@commands.command("replay")
def replay(
    *,
    positions: Annotated[
        list[str] | None, typer.Argument(metavar="PARTITION:OFFSET...", help="The dead letters to send.")
    ] = None,
    code: Code = None,
    all_letters: Annotated[bool, typer.Option("--all", help="Send every dead letter.")] = False,
    with_key_from: Annotated[
        str | None,
        typer.Option(help="`customer_id`: replace a wrong key by the customer_id of the record."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; send nothing.")] = False,
    limit: Limit = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Send dead letters to their source topic again, unchanged, and wait until the brokers have acknowledged them.

    Sending one twice is safe: a transaction is recognised by its id for as long
    as it can be in a window (about 31 days); an older one that was scored
    meanwhile would be counted again. A record is checked against its own
    timestamp, so `future_time` fails again unless
    FRAUDSTREAM_ACCEPTANCE_MAX_FUTURE_SECONDS was raised. A record older than
    the retention of the transactions topic (35 days) may be deleted before it
    is scored: send it from its own system instead.
    """
    import asyncio

    from app.settings import Settings

    if sum((bool(positions), code is not None, all_letters)) != 1:
        raise typer.BadParameter("give one of PARTITION:OFFSET..., --code and --all")
    if with_key_from not in {None, "customer_id"}:
        raise typer.BadParameter("--with-key-from takes customer_id")
    selection = Selection(positions=tuple(map(_position, positions or ())), code=code, limit=limit)
    complete = asyncio.run(
        _replay(Settings.from_env(), selection, rekey=with_key_from is not None, dry_run=dry_run, yes=yes)
    )
    raise typer.Exit(0 if complete else 1)


@commands.command("skip")
def skip(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="As the log and /readyz name it.")],
    partition: Annotated[int, typer.Argument(min=0, metavar="PARTITION")],
    offset: Annotated[int, typer.Argument(min=0, metavar="OFFSET", help="The first unreadable offset.")],
    *,
    reason: Annotated[str, typer.Option(help="Why the records are left out; kept with the order.")],
    to: Annotated[
        int | None,
        typer.Option(min=1, help="The first offset behind them, where the stored bytes do not say it."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="PEM file of the Ed25519 private key that signs the order.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Leave out stored records that cannot be read, so that a stopped partition resumes behind them.

    Look for a sound replica first: what is left out is never scored. The bytes
    become a dead letter with the code `unreadable`; the order, with its reason
    and author, stays on the control topic, for every group and for later
    replays. Records that can be read are refused.
    """
    import asyncio

    from app.adapters.topic_records.order_sending import signing_key
    from app.settings import Settings

    if not reason.strip():
        raise typer.BadParameter("give the reason")
    settings = Settings.from_env()
    signing = signing_key(settings, key)
    asyncio.run(_skip(settings, (topic, partition, offset, to), reason.strip(), signing, yes=yes))


async def _skip(
    settings: "Settings",
    at: tuple[str, int, int, int | None],
    reason: str,
    key: "Ed25519PrivateKey | None",
    *,
    yes: bool,
) -> None:
    import sys

    from app.operations.skip_records import find_unreadable, skip

    found = await find_unreadable(settings, *at)
    if sys.stdin.isatty() and not yes:
        printing.confirm(f"Leave out {found}?")
    position = await skip(settings, found, reason, key)
    printing.line(f"left out: {found}. Its bytes are the dead letter {position}")


async def _ls(settings: "Settings", selection: Selection, *, summary: bool, as_json: bool) -> None:
    from collections import Counter

    from app.adapters.topic_records.dead_letters import open_dead_letters
    from app.rendering import dead_letter_text

    counts: Counter[str] = Counter()
    if not as_json:
        printing.head_line(SUMMARY_HEAD if summary else dead_letter_text.HEAD)
    async with open_dead_letters(settings.kafka, settings.topics.dead_letters) as letters:
        async for letter in selection.of(letters):
            counts[letter.code] += 1
            if not summary:
                _print_letter(letter, as_json=as_json)
    if summary and as_json:
        printing.json_text(json_format.dumps(dict(counts.most_common())))
    elif summary:
        for code, count in counts.most_common():
            printing.line(f"{count:>8}  {code or '?'}")


def _print_letter(letter: "DeadLetter", *, as_json: bool) -> None:
    from app.rendering import dead_letter_text

    if as_json:
        printing.json_text(json_format.dumps(dead_letter_text.as_dict(letter)))
    else:
        printing.line(dead_letter_text.as_line(letter))


def _print_record(letter: "DeadLetter", *, as_json: bool) -> None:
    from app.rendering import dead_letter_text

    shown = dead_letter_text.as_dict_with_record(letter)
    if as_json:
        printing.json_text(json_format.dumps(shown))
    else:
        printing.lines(f"{name}: {value}" for name, value in shown.items())


async def _one(settings: "Settings", position: "LogPosition") -> "DeadLetter":
    from app.adapters.topic_records.dead_letters import open_dead_letters

    async with open_dead_letters(settings.kafka, settings.topics.dead_letters) as letters:
        return await anext(Selection(positions=(position,)).of(letters))


async def _replay(
    settings: "Settings", selection: Selection, *, rekey: bool, dry_run: bool, yes: bool
) -> bool:
    """Read the dead letters twice: to count them for the confirmation, then to send them.

    Returns True when all were sent. Dead letters written in between are not counted.
    """
    import sys

    from app.adapters.kafka.records import OutRecord
    from app.adapters.topic_records.dead_letters import open_dead_letters
    from app.traffic.resend import prepare, send

    kafka, topic = settings.kafka, settings.topics.transactions
    async with open_dead_letters(kafka, settings.topics.dead_letters) as letters:

        async def prepared() -> "AsyncIterator[OutRecord | Refused]":
            async for letter in selection.of(letters):
                yield prepare(letter, topic, rekey=rekey)

        count, refused = await _counted(prepared())
        _print_refused(refused)
        if dry_run or not count:
            printing.line(f"{count} would be sent to {topic}, {len(refused)} refused")
            return not refused
        if sys.stdin.isatty() and not yes:
            printing.confirm(f"Send {count} records to {topic}?")
        sent = await send((one async for one in prepared() if isinstance(one, OutRecord)), topic, kafka)
    printing.line(f"{sent} sent to {topic}, {len(refused)} refused")
    if sent < count:
        printing.line(f"{count - sent} were deleted by the topic's retention meanwhile", err=True)
    return sent == count and not refused


async def _counted(prepared: "AsyncIterator[OutRecord | Refused]") -> "tuple[int, list[Refused]]":
    from app.traffic.resend import Refused

    count, refused = 0, []
    async for one in prepared:
        if isinstance(one, Refused):
            refused.append(one)
        else:
            count += 1
    return count, refused


def _print_refused(refused: "list[Refused]") -> None:
    for letter, why in refused[:REFUSED_LINES]:
        printing.line(f"{letter.position} is refused: {why}", colour=typer.colors.YELLOW, err=True)
    if len(refused) > REFUSED_LINES:
        printing.line(f"and {len(refused) - REFUSED_LINES} more", colour=typer.colors.YELLOW, err=True)
