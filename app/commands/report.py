"""``fraudstream report``: a day's volumes, outcomes, money and precision so far."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.reports.day_report import DayReport


def report(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Of event time, UTC.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write one HTML file with pictures.")] = None,
    directory: Annotated[Path | None, typer.Option(help="Default: FRAUDSTREAM_ANALYTICS_DIR.")] = None,
    top: Annotated[int, typer.Option(min=1, help="So many terminals and countries.")] = 20,
    from_events: Annotated[
        bool,
        typer.Option(
            "--from-events", help="Compute it from the Parquet files instead; needs the extra `analytics`."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The report of DAY, from what the worker of the role analytics keeps up to date. docs/data/groups.md."""
    import msgspec

    from app.settings import Settings

    place = directory or Path(Settings.from_env().analytics.dir)
    name, number = day.date().isoformat(), (day.date() - date(1970, 1, 1)).days
    if from_events:
        from app.reports.batch import batch_report

        told, facts = batch_report(place, name, top), "Computed from the events."
    else:
        from app.reports.incremental import kept_report

        kept = kept_report(place, number, name, top)
        told, facts = kept.report, _facts(kept.open_partitions)
    if out is not None:
        from app.evaluation.report import write
        from app.reports.page import page

        write(out, page(told, facts))
    typer.echo(msgspec.json.encode(told).decode() if json else _line(told, facts))


def _facts(open_partitions: list[str]) -> str:
    if not open_partitions:
        return "Every partition has come to a later day; what is late still changes the figures."
    return f"The day goes on: {', '.join(open_partitions)} have seen no event of a later one."


def _line(told: "DayReport", facts: str) -> str:
    total = told.total
    precision = "no label yet" if total.precision is None else f"{total.precision:.4f} of {total.judged:,}"
    return (
        f"{told.day}: {total.transactions:,} transactions, {total.review:,} to review, {total.decline:,} declined, "
        f"precision so far {precision}. {facts}"
    )
