"""``fraudstream features`` and ``fraudstream score``: batch runs over a file, without Kafka."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.shared.history_options import AsArrived, Catalog, Mapping, Sort, row_order
from app.commands.shared.label_options import LABEL_DELAY_DAYS, LabelDelay, Labels
from app.domain.words import duration
from app.rendering import printing

if TYPE_CHECKING:
    from app.batch.run import Summary

File = Annotated[Path, typer.Argument(help="Transactions in order of arrival: Parquet, CSV or JSON lines.")]
Out = Annotated[
    Path, typer.Option(help="Parquet, CSV or JSON lines, by suffix. Written completely or not at all.")
]
RawCsv = Annotated[
    bool,
    typer.Option(
        "--raw-csv",
        help="Keep texts in a CSV file as they are. Default: those that a spreadsheet would compute begin with an apostrophe.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def features(
    file: File,
    *,
    out: Out,
    mapping: Mapping = None,
    catalog: Catalog = None,
    labels: Labels = None,
    label_delay_days: LabelDelay = LABEL_DELAY_DAYS,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    raw_csv: RawCsv = False,
    json: Json = False,
) -> None:
    """Compute all features of the transactions in FILE, exactly as a worker does."""
    import time

    from app.adapters.tabular.files import row_count
    from app.batch.run import write_features
    from app.commands.shared.history import feature_fold, history_source, with_catalog
    from app.commands.shared.progress import rows_progress
    from app.settings import Settings

    order = row_order(sort, as_arrived)
    settings = with_catalog(Settings.from_env(), catalog)
    started = time.perf_counter()
    with rows_progress("folded", row_count(file)) as on_progress:
        source = history_source(file, mapping, settings, labels, label_delay_days, order)
        summary = write_features(source, out, feature_fold(settings), on_progress, raw_csv=raw_csv)
    _print_summary(summary, out, time.perf_counter() - started, as_json=json)


def score(
    file: File,
    *,
    out: Out,
    mapping: Mapping = None,
    catalog: Catalog = None,
    labels: Labels = None,
    label_delay_days: LabelDelay = LABEL_DELAY_DAYS,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    model: Annotated[str, typer.Option(help="NAME/VERSION. Default: the champion of the settings.")] = "",
    alerts_only: Annotated[
        bool, typer.Option("--alerts-only", help="Leave approved transactions out.")
    ] = False,
    with_features: Annotated[bool, typer.Option("--with-features", help="Add a column per feature.")] = False,
    raw_csv: RawCsv = False,
    json: Json = False,
) -> None:
    """Score the transactions in FILE, exactly as a worker does."""
    import time

    from app.adapters.tabular.files import row_count
    from app.batch.run import ScoreOptions, write_scores
    from app.commands.models.models import load_champion
    from app.commands.shared.history import feature_fold, history_source, with_catalog
    from app.commands.shared.progress import rows_progress
    from app.settings import Settings

    order = row_order(sort, as_arrived)
    settings = with_catalog(Settings.from_env(), catalog)
    champion = load_champion(settings, model)
    options = ScoreOptions(alerts_only=alerts_only, with_features=with_features, raw_csv=raw_csv)
    started = time.perf_counter()
    with rows_progress("scored", row_count(file)) as on_progress:
        source = history_source(file, mapping, settings, labels, label_delay_days, order)
        summary = write_scores(source, out, feature_fold(settings), champion, options, on_progress)
    _print_summary(summary, out, time.perf_counter() - started, as_json=json, with_features=with_features)


def _print_summary(
    summary: "Summary", out: Path, seconds: float, *, as_json: bool, with_features: bool = False
) -> None:
    import msgspec

    speed = summary.rows / seconds
    if as_json:
        figures = {"seconds": round(seconds, 3), "events_per_s": round(speed)}
        printing.json_text(json_format.dumps({"out": str(out)} | msgspec.to_builtins(summary) | figures))
        return
    printing.line(f"{summary.written:,} rows to {out} in {duration(seconds)} ({speed:,.0f} events/s)")
    printing.line(
        f"{summary.rows:,} rows read, {summary.repeats:,} repeats skipped, {summary.late:,} late, "
        f"{summary.going_back:,} going back in time, {summary.skipped:,} refunds skipped, "
        f"{summary.customers:,} customers, {summary.alerts:,} alerts, {summary.declines:,} to decline"
    )
    if with_features:
        printing.hint(f"fraudstream drift {out}")
