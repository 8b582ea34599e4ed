"""``fraudstream model compare``: champion and challengers, from the decisions that hold the scores of both."""

import json as json_format
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.model_comparison.intervals import Compared, Interval
    from app.model_comparison.shadowed import Comparison, Decisions
    from app.settings import Settings

COLUMNS = ("", "champion", "challenger", "difference")


def compare(
    decisions: Annotated[
        Path | None,
        typer.Option(help="JSON lines, as printed by `decisions tail --json`. Default: the decisions topic."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labelled history (Parquet, CSV) or JSON lines of labels; the last label of a transaction counts."
        ),
    ] = None,
    labels_topic: Annotated[str, typer.Option(help="Read labels from this topic instead of a file.")] = "",
    mapping: Annotated[
        str | None, typer.Option(help="Columns of the labelled history: `handbook`, or a TOML file.")
    ] = None,
    *,
    days: Annotated[int, typer.Option(min=1, help="Days of the decisions topic to read.")] = 28,
    delay_days: Annotated[
        int,
        typer.Option(min=0, help="With labels: leave the newest days out, because fraud is reported late."),
    ] = 7,
    budget: Annotated[int, typer.Option(min=1, help="Customers that analysts can review per day.")] = 100,
    resamples: Annotated[
        int, typer.Option(min=0, help="Bootstrap resamples of customers for the intervals.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same intervals.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare each challenger with the model that decided.

    Prints agreement, alerts by each model's own thresholds and, with labels,
    AUC ROC, average precision and card precision at the budget, with 95 %
    intervals. A transaction without a label counts as legitimate.
    """
    import msgspec

    from app.commands.shared.history import file_columns
    from app.history.label_files import read_fraud_flags
    from app.model_comparison.intervals import Draws
    from app.model_comparison.shadowed import stored_thresholds
    from app.settings import Settings

    if labels and labels_topic:
        raise typer.BadParameter("Give --labels or --labels-topic, not both.")
    settings = Settings.from_env()
    found = _read_file(decisions) if decisions else _read_topic(settings, days)
    columns = file_columns(mapping, settings)
    known = read_fraud_flags(labels, columns) if labels else None
    if labels_topic:
        known = _read_labels_topic(settings, labels_topic)
    draws = Draws(number=resamples, seed=seed, budget=budget)
    compared = found.compare(partial(stored_thresholds, settings.model), known, delay_days, draws)
    if json:
        facts = {"decisions": found.read, "budget": budget, "comparisons": msgspec.to_builtins(compared)}
        printing.json_text(json_format.dumps(facts, indent=2))
        return
    if not compared:
        printing.line(
            f"{found.read:,} decisions, none with a challenger. `fraudstream model challenge` orders one."
        )
    for comparison in compared:
        _show(comparison, budget)


def _read_file(path: Path) -> "Decisions":
    from app.errors import InvalidFile
    from app.model_comparison.shadowed import notes

    try:
        with path.open("rb") as lines:
            return notes(lines)
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror}") from error


def _read_topic(settings: "Settings", days: int) -> "Decisions":
    import asyncio
    import time

    from app.model_comparison.shadowed import Decisions

    found, since_ms = Decisions(), time.time_ns() // 1_000_000 - days * 86_400_000
    asyncio.run(_each(settings, settings.topics.decisions, found.note_record, since_ms))
    if found.unreadable:
        printing.line(
            f"{found.unreadable:,} records of {settings.topics.decisions} are no decisions", err=True
        )
    return found


def _read_labels_topic(settings: "Settings", topic: str) -> dict[str, bool]:
    import asyncio

    from app.history.label_files import FlagsOfRecords

    flags = FlagsOfRecords()
    asyncio.run(_each(settings, topic, flags.add, None))
    if flags.unreadable:
        printing.line(f"{flags.unreadable:,} records of {topic} are no labels", err=True)
    return flags.known


async def _each(settings: "Settings", topic: str, take: Any, since_ms: int | None) -> None:
    from app.adapters.kafka.tail_reader import open_tail_reader
    from app.adapters.serde.offline_decoder import readable

    values = readable(settings)
    async with open_tail_reader(settings.kafka, [topic], from_beginning=True, values=values) as reader:
        async for record in reader.until(await reader.ends(), since_ms):
            if record.value is not None:
                take(record.value)


def _show(comparison: "Comparison", budget: int) -> None:
    from rich.table import Table

    from app.rendering.console import SafeConsole

    title = f"{comparison.champion} decided, {comparison.challenger} beside it"
    table = Table(*COLUMNS, title=title, title_justify="left")
    if comparison.alerts is not None:
        counts = comparison.alerts
        table.add_row(
            "would-be alerts",
            f"{counts.champion:,}",
            f"{counts.challenger:,}",
            f"{counts.challenger - counts.champion:+,}",
        )
        table.add_row("alerts of both", f"{counts.both:,}", f"{counts.both:,}", "")
        table.add_row("same outcome", "", "", f"{counts.agreement:.2%}")
    for name, figure in comparison.figures.items():
        table.add_row(f"{name}@{budget}" if name == "card_precision" else name, *figure_cells(figure))
    console = SafeConsole()
    console.print(table)
    known = "no labels" if comparison.frauds is None else f"{comparison.frauds:,} frauds known"
    console.print(f"{comparison.transactions:,} transactions of {comparison.days} days, {known}")


def figure_cells(figure: "Compared") -> tuple[str, str, str]:
    """Champion, challenger, difference, each with its interval."""
    return (_cell(figure.champion), _cell(figure.challenger), _cell(figure.difference, "+.4f"))


def _cell(interval: "Interval", style: str = ".4f") -> str:
    if interval.value is None:
        return "not defined"
    if interval.low is None or interval.high is None:
        return format(interval.value, style)
    return f"{interval.value:{style}} ({interval.low:{style}} to {interval.high:{style}})"
