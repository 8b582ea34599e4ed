"""``fraudstream report``: volumes, outcomes, money and precision so far of a day."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.reports.day_report import DayReport


def report(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Day of event time, UTC.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write an HTML file with charts.")] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Files of the analytics worker. Default: FRAUDSTREAM_ANALYTICS_DIR.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Number of terminals and countries to list.")] = 20,
    from_events: Annotated[
        bool,
        typer.Option("--from-events", help="Compute it from the Parquet files; needs the extra `analytics`."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the report of DAY from the figures that the analytics worker maintains.

    See docs/data/groups.md.
    """
    import msgspec

    from app.settings import Settings

    if out is not None:
        _require_matplotlib()
    files = directory or Path(Settings.from_env().analytics.dir)
    name, number = day.date().isoformat(), (day.date() - date(1970, 1, 1)).days
    if from_events:
        from app.reports.batch import batch_report

        found, status = batch_report(files, name, top), "Computed from the events."
    else:
        from app.reports.incremental import kept_report

        kept = kept_report(files, number, name, top)
        found, status = kept.report, _status(kept.open_partitions)
    if out is not None:
        from app.evaluation.report import write
        from app.reports.page import page

        write(out, page(found, status))
    if json:
        printing.json_text(msgspec.json.encode(found).decode())
    else:
        printing.line(_line(found, status))


def _require_matplotlib() -> None:
    from importlib.util import find_spec

    from app.errors import ConfigurationError

    if find_spec("matplotlib") is None:
        raise ConfigurationError("--out draws with matplotlib: pip install 'fraudstream[report]'")


def _status(open_partitions: list[str]) -> str:
    if not open_partitions:
        return "The day is complete: every partition has events of a later day. Late events still change the figures."
    return f"The day is not complete: {', '.join(open_partitions)} have no event of a later day yet."


def _line(found: "DayReport", status: str) -> str:
    total = found.total
    precision = "no label yet" if total.precision is None else f"{total.precision:.4f} of {total.judged:,}"
    return (
        f"{found.day}: {total.transactions:,} transactions, {total.review:,} to review, {total.decline:,} declined, "
        f"precision so far {precision}. {status}"
    )
