"""``fraudstream report``: volumes, outcomes, money and precision so far of a day."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.reports.day_report import DayReport
    from app.reports.headlines import Headline

    Read = Callable[[Path, int, int], tuple[DayReport, str]]
    """Reads the report of a day of at most so many terminals, and what there is to say about it."""


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
    alert_url: Annotated[
        str,
        typer.Option(
            help="With --out: address of an alert in your case tool, with {alert_id}; alerts link to it."
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the report of DAY from the figures that the analytics worker maintains.

    The headline figures are compared with the day before. See docs/data/groups.md.
    """
    import msgspec

    from app.reports.headlines import headlines
    from app.settings import Settings

    _require_address(alert_url)
    if out is not None:
        _require_matplotlib()
    files = directory or Path(Settings.from_env().analytics.dir)
    number = (day.date() - date(1970, 1, 1)).days
    read = _from_events if from_events else _from_figures
    found, status = read(files, number, top)
    compared = headlines(found, _before(read, files, number))
    if out is not None:
        from app.evaluation.report import write
        from app.reports.page import page

        write(out, page(found, compared, status, alert_url))
    if json:
        with_headlines = msgspec.to_builtins(found) | {"headlines": msgspec.to_builtins(compared)}
        printing.json_text(msgspec.json.encode(with_headlines).decode())
    else:
        _print(found, compared, status)


def _from_events(files: Path, day: int, top: int) -> "tuple[DayReport, str]":
    from app.reports.batch import batch_report

    return batch_report(files, _name(day), top), "Computed from the events."


def _from_figures(files: Path, day: int, top: int) -> "tuple[DayReport, str]":
    from app.reports.incremental import kept_report

    kept = kept_report(files, day, _name(day), top)
    return kept.report, _status(kept.open_partitions)


def _before(read: "Read", files: Path, day: int) -> "DayReport | None":
    from app.errors import InvalidFile

    try:
        return read(files, day - 1, 0)[0]
    except InvalidFile:  # the first day
        return None


def _name(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _print(found: "DayReport", compared: "list[Headline]", status: str) -> None:
    from app.rendering.console import SafeConsole
    from app.reports.console import PIPE_WIDTH, print_report

    console = SafeConsole(highlight=False)
    if not console.is_terminal:
        console = SafeConsole(highlight=False, width=PIPE_WIDTH)
    print_report(console, found, compared, status)


def _require_address(alert_url: str) -> None:
    from app.errors import ConfigurationError

    if alert_url and not (alert_url.startswith(("https://", "http://")) and "{alert_id}" in alert_url):
        raise ConfigurationError(
            "--alert-url is no address of an alert: write one like https://cases.example/alerts/{alert_id}"
        )


def _require_matplotlib() -> None:
    from importlib.util import find_spec

    from app.errors import ConfigurationError

    if find_spec("matplotlib") is None:
        raise ConfigurationError("--out draws with matplotlib: pip install 'fraudstream[report]'")


def _status(open_partitions: list[str]) -> str:
    if not open_partitions:
        return "The day is complete: every partition has events of a later day. Late events still change the figures."
    return f"The day is not complete: {', '.join(open_partitions)} have no event of a later day yet."
