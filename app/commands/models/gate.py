"""``fraudstream model gate``: compare a candidate with the champion on the last weeks; `promote --gate` runs it too."""

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from app.commands.shared.history_options import AsArrived, Sort, row_order
from app.rendering import printing

if TYPE_CHECKING:
    from app.history.fold_history import HistorySource
    from app.model_comparison.gate import Verdict
    from app.replay.export_log import Exported
    from app.settings import Settings

DAYS = 93
"""Four weeks to test, one whose labels are incomplete, two whose frauds are known, and 44 days that windows reach back."""

Mapping = Annotated[str | None, typer.Option(help="Columns of the history: `handbook`, or a TOML file.")]
Weeks = Annotated[int, typer.Option(min=1, help="Newest weeks of the history to test on.")]
Days = Annotated[
    int,
    typer.Option(min=1, help="Days of the transactions topic to read. Windows reach back 44 days."),
]
Budget = Annotated[int, typer.Option(min=1, help="Customers that analysts can review per day.")]
Margin = Annotated[
    float, typer.Option(min=0, max=1, help="Accepted loss of card precision against the champion.")
]


def gate(
    model: Annotated[str, typer.Argument(metavar="NAME/VERSION", help="The candidate.")],
    history: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled history: Parquet, CSV or JSON lines, with is_fraud. Default: the transactions and labels "
            "topics."
        ),
    ] = None,
    mapping: Mapping = None,
    *,
    days: Days = DAYS,
    champion: Annotated[str, typer.Option(help="NAME/VERSION. Default: the champion of the settings.")] = "",
    weeks: Weeks = 4,
    budget: Budget = 100,
    margin: Margin = 0.01,
    resamples: Annotated[
        int, typer.Option(min=20, help="Bootstrap resamples of customers for the intervals.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same verdict.")] = 0,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Test whether a candidate may replace the champion: it must not be worse at the alert budget.

    Folds HISTORY or the transactions topic as a worker does and scores the last
    weeks with both models. Fraud counts as known after 7 days; the weeks taken
    from a topic therefore end 7 days before its end. Exit code 1, with the
    reason, when the candidate is refused. Promotes nothing.
    """
    import msgspec

    from app.settings import Settings

    terms = Terms(history, mapping, weeks, margin, budget, days, resamples, seed, sort, as_arrived)
    verdict = verdict_on(Settings.from_env(), model, champion, terms)
    if json:
        facts = msgspec.to_builtins(verdict) | {"passed": verdict.passed}
        printing.json_text(json_format.dumps(facts, indent=2))
    else:
        show(verdict)
    if not verdict.passed:
        raise typer.Exit(1)


class Terms(NamedTuple):
    """The history and the limits of a gate."""

    history: Path | None
    """None: read the topics."""
    mapping: str | None
    weeks: int
    margin: float
    budget: int
    days: int = DAYS
    resamples: int = 200
    seed: int = 0
    sort: bool = False
    as_arrived: bool = False


def verdict_on(settings: "Settings", candidate: str, champion: str, terms: Terms) -> "Verdict":
    """Compare the candidate with the champion.

    Raises ModelRejected when a bundle is not sound, InvalidFile when the history cannot be used.
    """
    from app.adapters.models.bundles import champion as load_champion
    from app.adapters.models.loading import Loading
    from app.commands.shared.history import feature_fold
    from app.commands.shared.progress import rows_progress
    from app.model_comparison.gate import compare_models
    from app.model_comparison.intervals import Draws
    from app.model_comparison.replay import replay

    models_dir, loading = Path(settings.model.dir), Loading.by(settings.model, settings.catalog.file)
    models = (
        load_champion(models_dir, champion or settings.model.champion, loading),
        load_champion(models_dir, candidate, loading),
    )
    with _history(settings, terms) as (source, rows, unripe), rows_progress("replayed", rows) as on_progress:
        paired = replay(source, feature_fold(settings), models, terms.weeks, unripe, on_progress)
    draws = Draws(number=terms.resamples, seed=terms.seed, budget=terms.budget)
    return compare_models(paired, *models, draws, terms.margin)


@contextmanager
def _history(settings: "Settings", terms: Terms) -> "Iterator[tuple[HistorySource, int | None, int]]":
    """Yield the source, its number of rows if known, and how many of its newest days have incomplete labels."""
    import asyncio
    from tempfile import TemporaryDirectory

    from app.adapters.tabular.files import row_count
    from app.adapters.tabular.row_order import RowOrder
    from app.commands.shared.history import history_source
    from app.model_comparison.replay import DELAY_DAYS

    if terms.history is not None:
        order = row_order(terms.sort, terms.as_arrived)
        source = history_source(terms.history, terms.mapping, settings, None, DELAY_DAYS, order)
        yield source, row_count(terms.history), 0
        return
    with TemporaryDirectory(prefix="fraudstream-") as directory:
        found = asyncio.run(_exported(settings, terms.days, Path(directory)))
        source = history_source(
            found.transactions, None, settings, found.labels, DELAY_DAYS, RowOrder.ARRIVAL
        )
        yield source, found.rows, DELAY_DAYS


async def _exported(settings: "Settings", days: int, directory: Path) -> "Exported":
    import time

    from app.adapters.kafka.range_reader import open_range_reader
    from app.adapters.serde.json_codec import label_of
    from app.adapters.serde.offline_decoder import decoder
    from app.commands.shared.history import fold_rules
    from app.commands.shared.progress import rows_progress
    from app.domain.label import Label
    from app.features.window import DAY_MS
    from app.replay.export_log import Logs, export

    now_ms = time.time_ns() // 1_000_000
    kafka, topics = settings.kafka, settings.topics
    async with (
        open_range_reader(kafka, topics.transactions) as log,
        open_range_reader(kafka, topics.labels) as labels,
    ):
        with rows_progress("read", None) as on_progress:
            logs = Logs(log, labels, decoder(settings.registry, Label, label_of))
            return await export(logs, now_ms - days * DAY_MS, fold_rules(settings), directory, on_progress)


def require_passed(settings: "Settings", model: str, against: str, terms: Terms, *, json: bool) -> None:
    """Print the verdict and raise typer.Exit unless ``model`` passes."""
    import msgspec

    verdict = verdict_on(settings, model, against, terms)
    if not json:
        show(verdict)
    elif not verdict.passed:
        printing.json_text(json_format.dumps({"order": None, "gate": msgspec.to_builtins(verdict)}, indent=2))
    if not verdict.passed:
        raise typer.Exit(1)


def show(verdict: "Verdict") -> None:
    """Print the figures of both models, then warnings and refusals."""
    from rich.table import Table

    from app.commands.models.compare import COLUMNS, figure_cells
    from app.rendering.console import SafeConsole

    table = Table(*COLUMNS, title=f"{verdict.candidate} against {verdict.champion}", title_justify="left")
    for name, figure in verdict.figures.items():
        table.add_row(f"{name}@{verdict.budget}" if name == "card_precision" else name, *figure_cells(figure))
    table.add_row(
        "alerts by own thresholds", f"{verdict.alerts.champion:,}", f"{verdict.alerts.challenger:,}", ""
    )
    console = SafeConsole()
    console.print(table)
    console.print(f"{verdict.transactions:,} transactions of {verdict.days} days, {verdict.frauds:,} frauds")
    for warning in verdict.warnings:
        console.print(warning, style="yellow")
    for refusal in verdict.refusals:
        console.print(f"refused: {refusal}", style="red")
    if verdict.passed:
        console.print(f"{verdict.candidate} may be promoted", style="green")
        printing.hint(f"fraudstream model promote {verdict.candidate} --reason TEXT")
