"""``fraudstream model gate``: the last weeks once more, by champion and candidate; also what `promote --gate` asks."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from app.settings import Settings
    from app.trials.gate import Verdict

Mapping = Annotated[str | None, typer.Option(help="Of the history: `handbook`, or a TOML file.")]
Weeks = Annotated[int, typer.Option(min=1, help="The newest weeks of the history, which are tested.")]
Budget = Annotated[int, typer.Option(min=1, help="Customers that people can look at in a day.")]
Margin = Annotated[
    float, typer.Option(min=0, max=1, help="How much lower the candidate's card precision may be.")
]


def gate(
    model: Annotated[str, typer.Argument(metavar="NAME/VERSION", help="The candidate.")],
    history: Annotated[
        Path, typer.Argument(help="Labelled history: Parquet, CSV or JSON lines, with is_fraud.")
    ],
    mapping: Mapping = None,
    *,
    champion: Annotated[str, typer.Option(help="NAME/VERSION. Default: the champion of the settings.")] = "",
    weeks: Weeks = 4,
    budget: Budget = 100,
    margin: Margin = 0.01,
    resamples: Annotated[int, typer.Option(min=20, help="Draws of customers for the intervals.")] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same verdict.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fold HISTORY as a worker does, score its last weeks by champion and candidate, and say whether the candidate may
    be promoted: not worse at the alert budget. Fraud counts as known 7 days later. Exit code 1, with the reason, when
    it may not. Nothing is promoted.
    """
    import msgspec

    from app.settings import Settings

    terms = Terms(history, mapping, weeks, margin, budget, resamples, seed)
    verdict = verdict_on(Settings.from_env(), model, champion, terms)
    if json:
        facts = msgspec.to_builtins(verdict) | {"passed": verdict.passed}
        typer.echo(json_format.dumps(facts, indent=2))
    else:
        show(verdict)
    if not verdict.passed:
        raise typer.Exit(1)


class Terms(NamedTuple):
    """What a candidate is held against."""

    history: Path
    mapping: str | None
    weeks: int
    margin: float
    budget: int
    resamples: int = 200
    seed: int = 0


def verdict_on(settings: "Settings", candidate: str, champion: str, terms: Terms) -> "Verdict":
    """Raises ModelRejected when a bundle is not sound, InvalidFile when the history cannot be used."""
    from app.adapters.bundles import Loading
    from app.adapters.bundles import champion as load_champion
    from app.adapters.files import row_count
    from app.commands.history import history_source, profile_bounds
    from app.commands.progress import rows_progress
    from app.trials.gate import judge
    from app.trials.intervals import Draws
    from app.trials.replay import DELAY_DAYS, replay

    models_dir, loading = Path(settings.model.dir), Loading.by(settings.model)
    models = (
        load_champion(models_dir, champion or settings.model.champion, loading),
        load_champion(models_dir, candidate, loading),
    )
    with rows_progress("replayed", row_count(terms.history)) as on_progress:
        source = history_source(terms.history, terms.mapping, settings, None, DELAY_DAYS)
        paired = replay(source, profile_bounds(settings), models, terms.weeks, on_progress)
    draws = Draws(number=terms.resamples, seed=terms.seed, budget=terms.budget)
    return judge(paired, *models, draws, terms.margin)


def require_passed(settings: "Settings", model: str, against: str, terms: Terms, *, json: bool) -> None:
    """Raise typer.Exit, once it is said why, unless ``model`` passes."""
    import msgspec

    verdict = verdict_on(settings, model, against, terms)
    if not json:
        show(verdict)
    elif not verdict.passed:
        typer.echo(json_format.dumps({"order": None, "gate": msgspec.to_builtins(verdict)}, indent=2))
    if not verdict.passed:
        raise typer.Exit(1)


def show(verdict: "Verdict") -> None:
    """The figures of both, then why not."""
    from rich.console import Console
    from rich.table import Table

    from app.commands.compare import COLUMNS, figure_cells

    table = Table(*COLUMNS, title=f"{verdict.candidate} against {verdict.champion}", title_justify="left")
    for name, figure in verdict.figures.items():
        table.add_row(f"{name}@{verdict.budget}" if name == "card_precision" else name, *figure_cells(figure))
    table.add_row(
        "alerts by own thresholds", f"{verdict.alerts.champion:,}", f"{verdict.alerts.challenger:,}", ""
    )
    console = Console()
    console.print(table)
    console.print(f"{verdict.transactions:,} transactions of {verdict.days} days, {verdict.frauds:,} frauds")
    for warning in verdict.warnings:
        console.print(warning, style="yellow")
    for refusal in verdict.refusals:
        console.print(f"refused: {refusal}", style="red")
    if verdict.passed:
        console.print(f"{verdict.candidate} may be promoted", style="green")
