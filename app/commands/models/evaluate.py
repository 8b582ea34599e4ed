"""``fraudstream evaluate``: measure a model on a labelled history."""

import json as json_format
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.shared.history_options import AsArrived, Catalog, LabelledFile, Mapping, Sort, row_order
from app.commands.shared.label_options import Labels
from app.rendering import printing

if TYPE_CHECKING:
    from datetime import date

    from app.evaluation.figures import Part
    from app.evaluation.run import Evaluation, Request
    from app.settings import Settings


_WIDTH = 120
"""Columns of a table written to a file or a pipe."""


class Kind(StrEnum):
    """``holdout``: one bundle, or a file of scores. ``prequential``: a new model is trained for each fold."""

    HOLDOUT = "holdout"
    PREQUENTIAL = "prequential"


def evaluate(
    data: LabelledFile,
    *,
    mapping: Mapping = None,
    catalog: Catalog = None,
    labels: Labels = None,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    protocol: Annotated[Kind, typer.Option(help="prequential trains a model per fold.")] = Kind.HOLDOUT,
    model: Annotated[
        str,
        typer.Option(
            help="holdout: NAME/VERSION. Default: the champion. prequential: TOML file, as for `train`."
        ),
    ] = "",
    scores: Annotated[
        Path | None, typer.Option(help="Use this file of transaction_id and score instead of a model.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="YYYY-MM-DD, UTC: first day to evaluate.")] = None,
    until: Annotated[str | None, typer.Option(help="YYYY-MM-DD, UTC: last day to evaluate.")] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="prequential: number of folds, one test period apart. Default: as many as DATA holds, at most 4.",
        ),
    ] = None,
    train_days: Annotated[int, typer.Option(min=1, help="prequential: days of training per fold.")] = 7,
    delay_days: Annotated[
        int, typer.Option(min=0, help="Days until is_fraud is known; without --labels.")
    ] = 7,
    test_days: Annotated[int, typer.Option(min=1, help="prequential: days of test per fold.")] = 7,
    remove_known: Annotated[
        bool,
        typer.Option(
            "--remove-known", help="Leave out customers with a fraud known by then; prequential always does."
        ),
    ] = False,
    legitimate_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="prequential: share of legitimate rows to fit on, weighted."),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed and data, same figures.")] = 0,
    top_k: Annotated[int, typer.Option(min=1, help="Customers per day for card precision.")] = 100,
    review_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of transactions to review, where no bundle gives thresholds."),
    ] = 0.01,
    decline_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of transactions to decline, likewise.")
    ] = 0.002,
    review_cost: Annotated[float, typer.Option(min=0, help="Cost of reviewing an alert, minor units.")] = 500,
    recovered_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a fraud's amount that an alert recovers.")
    ] = 0.8,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML file with charts; needs the extra `report`.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a model on labelled DATA: ranking, outcomes, money and fraud patterns.

    docs/models/evaluation.md defines every figure.
    """
    from app.commands.shared.history import feature_fold, history_source, with_catalog
    from app.errors import ConfigurationError
    from app.evaluation.figures import Asked
    from app.evaluation.run import Request
    from app.settings import Settings
    from app.training.folds import MOST_FOLDS, Protocol
    from app.training.metrics import Costs
    from app.training.options import TrainingOptions
    from app.training.recipe import read_recipe

    if scores is not None and (model or protocol is Kind.PREQUENTIAL):
        raise ConfigurationError("--scores replaces a model: leave --model and --protocol out")
    if decline_share > review_share:
        raise ConfigurationError("--decline-share must not exceed --review-share")
    settings = with_catalog(Settings.from_env(), catalog)
    trains = protocol is Kind.PREQUENTIAL
    request = Request(
        source=history_source(data, mapping, settings, labels, delay_days, row_order(sort, as_arrived)),
        fold=feature_fold(settings),
        asked=Asked(top_k=top_k, costs=Costs(review_cost_minor=review_cost, recovered_share=recovered_share)),
        options=TrainingOptions(
            recipe=read_recipe(Path(model) if trains and model else None),
            seed=seed,
            legitimate_share=legitimate_share,
            review_share=review_share,
            decline_share=decline_share,
        ),
        protocol=Protocol(
            folds=folds or MOST_FOLDS, train_days=train_days, delay_days=delay_days, test_days=test_days
        ),
        since=_day("--since", since),
        until=_day("--until", until),
        remove_known=remove_known,
        fewer_folds=folds is None,
        with_importances=report is not None,
    )
    if report is not None:
        _require_pictures()
    found = _evaluated(request, settings, None if trains else model, scores)
    if report is not None:
        _write_report(report, data, found, top_k)
    _print_tables(found, top_k, as_json=json)


def _evaluated(
    request: "Request", settings: "Settings", model: str | None, scores: Path | None
) -> "Evaluation":
    """Evaluate a file of scores, one model, or the prequential protocol when ``model`` is None."""
    from app.adapters.tabular.files import row_count
    from app.commands.models.models import load_champion
    from app.commands.shared.progress import rows_progress
    from app.evaluation import run
    from app.evaluation.scored import read_scores

    what = "read" if scores else "folded"
    with rows_progress(what, row_count(request.source.path)) as on_progress:
        if scores is not None:
            return run.by_file(request, read_scores(scores), scores.name, on_progress)
        if model is None:
            return run.by_protocol(request, on_progress, _print_fold)
        bundle = load_champion(settings, model)
        name = f"{bundle.reference.name}/{bundle.reference.version}"
        return run.by_model(request, bundle, name, on_progress)


def _print_fold(part: "Part") -> None:
    if sys.stderr.isatty():
        printing.line(f"{part.name}: AUC ROC {part.figures.auc_roc}", err=True)


def _print_tables(found: "Evaluation", top_k: int, *, as_json: bool) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from app.evaluation.tables import tables
    from app.rendering.console import SafeConsole

    if as_json:
        printing.json_text(json_format.dumps(_as_json(found, top_k)))
        return
    console = SafeConsole()
    if not console.is_terminal:
        console.width = _WIDTH
    for table in tables(found.parts, top_k):
        drawn = Table(title=table.title, title_justify="left", box=SIMPLE_HEAD)
        for at, name in enumerate(table.head):
            drawn.add_column(name, justify="left" if at == 0 else "right", no_wrap=True)
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)


def _as_json(found: "Evaluation", top_k: int) -> dict[str, Any]:
    import msgspec

    from app.evaluation.figures import deviations, means

    return {
        "top_k": top_k,
        "parts": [{"name": part.name} | msgspec.to_builtins(part.figures) for part in found.parts],
        "mean": means(found.parts),
        "deviation": deviations(found.parts),
        "importances": [one._asdict() for one in found.important],
    }


def _require_pictures() -> None:
    from importlib.util import find_spec

    from app.errors import ConfigurationError

    if find_spec("matplotlib") is None:
        raise ConfigurationError("--report draws with matplotlib: pip install 'fraudstream[report]'")


def _write_report(path: Path, data: Path, found: "Evaluation", top_k: int) -> None:
    from app.evaluation import report
    from app.evaluation.pictures import pictures
    from app.evaluation.tables import tables

    names = ", ".join(part.name for part in found.parts)
    drawn = pictures(found.parts, found.important)
    report.write(path, report.html(f"Evaluation on {data.name}", names, tables(found.parts, top_k), drawn))


def _day(option: str, text: str | None) -> "date | None":
    from datetime import date

    from app.errors import ConfigurationError

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{option} {text}: must be a day, YYYY-MM-DD") from error
