"""``fraudstream alerts tail`` and ``fraudstream decisions tail``: print what the workers publish."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.domain.decision import Decision
    from app.settings import Settings

    Show = Callable[[bytes], Awaitable[bool]]
    """Prints a value; False for one that cannot be read."""

alerts = typer.Typer(no_args_is_help=True, help="Print alerts: decisions to review or decline.")
decisions = typer.Typer(
    no_args_is_help=True, help="Print decisions: the audit log of every scored transaction."
)

Json = Annotated[bool, typer.Option("--json", help="Print the records unchanged, one JSON object per line.")]
FromBeginning = Annotated[
    bool, typer.Option("--from-beginning", help="Start with the oldest record. Default: only new ones.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after this many. Default: at Ctrl-C.")]


@alerts.command("tail")
def tail_alerts(
    *,
    json: Json = False,
    from_beginning: FromBeginning = False,
    limit: Limit = None,
    reference: Annotated[
        bool,
        typer.Option(
            "--reference",
            help="Add the terminal's and customer's rows of the bank's tables (docs/data/cdc.md).",
        ),
    ] = False,
) -> None:
    """Print alerts as they arrive, one per line: time, outcome, score, amount, customer, reasons."""
    from app.domain.decision import Alert
    from app.settings import Settings

    settings = Settings.from_env()
    show = _with_reference(settings) if reference else _printer(Alert, json)
    _tail(settings, settings.topics.alerts, show, from_beginning, limit)


@decisions.command("tail")
def tail_decisions(*, json: Json = False, from_beginning: FromBeginning = False, limit: Limit = None) -> None:
    """Print decisions as they arrive, one per line: time, outcome, score, amount, customer."""
    from app.domain.decision import Decision
    from app.settings import Settings

    settings = Settings.from_env()
    _tail(
        settings,
        settings.topics.decisions,
        _printer(Decision, json),
        from_beginning,
        limit,
    )


@alerts.callback()
@decisions.callback()
def _group() -> None:
    """Make Typer treat a single command as a group: it does so only where there is a callback."""


def _printer(kind: "type[Decision]", as_json: bool) -> "Show":
    from app.adapters.bounded_json import BoundedDecoder
    from app.rendering.console import SafeConsole
    from app.rendering.decision_text import as_line

    console, decoder = SafeConsole(soft_wrap=True, highlight=False), BoundedDecoder(kind)
    syntax = BoundedDecoder(dict[str, object])

    async def show(value: bytes) -> bool:
        if as_json and syntax.attempt(value) is not None:
            printing.json_record(value)
        elif not as_json and (decision := decoder.attempt(value)) is not None:
            console.print(as_line(decision))
        else:
            return False
        return True

    return show


def _with_reference(settings: "Settings") -> "Show":
    """Print alerts with reference rows; without them while Redis does not answer."""
    from app.adapters.bounded_json import BoundedDecoder
    from app.adapters.redis.client import FAILURES, connect
    from app.adapters.redis.reference_redis import ReferenceStore
    from app.domain.decision import Alert
    from app.errors import ConfigurationError
    from app.rendering.console import SafeConsole
    from app.rendering.decision_text import as_line, reference_text

    if not settings.redis.url:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is not set, and --reference reads from Redis. Set it."
        )
    console, decoder = SafeConsole(soft_wrap=True, highlight=False), BoundedDecoder(Alert)
    redis = connect(settings.redis, settings.redis.write_timeout_seconds)
    rows = ReferenceStore(redis, settings.redis.key_prefix)

    async def show(value: bytes) -> bool:
        alert = decoder.attempt(value)
        if alert is None:
            return False
        wanted = [("terminal", alert.transaction.terminal_id), ("customer", alert.customer_id)]
        try:
            text = reference_text(*await rows.find(wanted))
        except FAILURES:
            text = "(Redis does not answer)"
        console.print(as_line(alert).append(f"  {text}" if text else "", style="cyan"))
        return True

    return show


def _tail(
    settings: "Settings",
    topic: str,
    show: "Show",
    from_beginning: bool,
    limit: int | None,
) -> None:
    import asyncio
    import contextlib

    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to end it
        asyncio.run(_follow(settings, topic, show, from_beginning, limit))


async def _follow(
    settings: "Settings",
    topic: str,
    show: "Show",
    from_beginning: bool,
    limit: int | None,
) -> None:
    from app.adapters.kafka.tail_reader import open_tail_reader
    from app.adapters.serde.offline_decoder import readable

    shown = 0
    reading = open_tail_reader(
        settings.kafka, [topic], from_beginning=from_beginning, values=readable(settings)
    )
    async with reading as reader:
        async for records in reader.batches():
            for record in records:
                if not await show(record.value or b""):
                    position = f"{topic}-{record.partition}, offset {record.offset}"
                    printing.line(f"{position}: the record cannot be read and is left out", err=True)
                shown += 1
                if shown == limit:
                    return
