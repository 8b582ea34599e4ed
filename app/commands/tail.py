"""``fraudstream alerts tail`` and ``fraudstream decisions tail``: what the workers publish, as it comes."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.decision import Decision
    from app.settings import KafkaSettings

alerts = typer.Typer(no_args_is_help=True, help="Alerts: decisions to review or decline.")
decisions = typer.Typer(no_args_is_help=True, help="Every decision: the audit log.")

Json = Annotated[bool, typer.Option("--json", help="Print the records as they are, one JSON object a line.")]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Not only what comes from now on.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many. Default: Ctrl-C.")]


@alerts.command("tail")
def tail_alerts(*, json: Json = False, from_beginning: FromBeginning = False, limit: Limit = None) -> None:
    """Print alerts as they come, one a line: time, outcome, score, amount, customer, reasons."""
    from app.domain.decision import Alert
    from app.settings import Settings

    settings = Settings.from_env()
    _tail(settings.kafka, settings.topics.alerts, _printer(Alert, json), from_beginning, limit)


@decisions.command("tail")
def tail_decisions(*, json: Json = False, from_beginning: FromBeginning = False, limit: Limit = None) -> None:
    """Print decisions as they come, one a line: time, outcome, score, amount, customer."""
    from app.domain.decision import Decision
    from app.settings import Settings

    settings = Settings.from_env()
    _tail(
        settings.kafka,
        settings.topics.decisions,
        _printer(Decision, json),
        from_beginning,
        limit,
    )


@alerts.callback()
@decisions.callback()
def _group() -> None:
    """Typer makes a group of a single command only when there is a callback."""


def _printer(kind: "type[Decision]", as_json: bool) -> "Callable[[bytes], None]":
    import msgspec
    from rich.console import Console

    from app.adapters.decision_text import line

    if as_json:
        return typer.echo
    console, decode = Console(soft_wrap=True, highlight=False), msgspec.json.Decoder(kind).decode
    return lambda value: console.print(line(decode(value)))


def _tail(
    kafka: "KafkaSettings",
    topic: str,
    show: "Callable[[bytes], None]",
    from_beginning: bool,
    limit: int | None,
) -> None:
    import asyncio
    import contextlib

    with contextlib.suppress(KeyboardInterrupt):  # how a tail is meant to end
        asyncio.run(_follow(kafka, topic, show, from_beginning, limit))


async def _follow(
    kafka: "KafkaSettings",
    topic: str,
    show: "Callable[[bytes], None]",
    from_beginning: bool,
    limit: int | None,
) -> None:
    from app.adapters.topic_reader import open_reader

    shown = 0
    async with open_reader(kafka, [topic], from_beginning=from_beginning) as reader:
        async for records in reader.batches():
            for record in records:
                show(record.value)
                shown += 1
                if shown == limit:
                    return
