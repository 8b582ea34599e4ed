"""``fraudstream train``: train a model bundle on a labelled history."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from app.commands.shared.history_options import AsArrived, Catalog, LabelledFile, Mapping, Sort, row_order
from app.commands.shared.label_options import LABEL_DELAY_DAYS, LabelDelay, Labels
from app.domain.words import duration
from app.rendering import printing


def train(
    data: LabelledFile,
    *,
    out: Annotated[
        Path, typer.Option(help="Directory of the new bundle, models/NAME/VERSION; must not exist.")
    ],
    mapping: Mapping = None,
    catalog: Catalog = None,
    labels: Labels = None,
    label_delay_days: LabelDelay = LABEL_DELAY_DAYS,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    model: Annotated[
        Path | None,
        typer.Option(help="TOML file with scikit-learn classes, parameters, weights and calibration."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and data give the same bundle.")] = 0,
    test_days: Annotated[int, typer.Option(min=1, help="Newest days, held out for testing.")] = 14,
    legitimate_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of legitimate rows to fit on, weighted. All frauds are used."),
    ] = 1.0,
    review_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of transactions that analysts can review.")
    ] = 0.01,
    decline_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of transactions to decline.")
    ] = 0.002,
    decline_precision: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Decline from the score with this precision on, instead of a share."),
    ] = None,
    created: Annotated[
        str | None, typer.Option(help="Date in the manifest, YYYY-MM-DD. Default: the day of the last event.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model on DATA, test it on the newest days and write a bundle; promotes nothing."""
    import time

    import msgspec

    from app.adapters.models.checks.limits import Limits
    from app.adapters.models.manifest import ProfileBounds
    from app.adapters.tabular.files import row_count
    from app.commands.shared.history import feature_fold, history_source, with_catalog
    from app.commands.shared.progress import rows_progress
    from app.domain.wrong_value import wrong_value
    from app.errors import ConfigurationError
    from app.settings import Settings
    from app.training.options import TrainingOptions
    from app.training.recipe import read_recipe
    from app.training.train import Target
    from app.training.train import train as train_bundle

    order = row_order(sort, as_arrived)
    settings = with_catalog(Settings.from_env(), catalog)
    given = {
        "seed": seed,
        "test_days": test_days,
        "delay_days": label_delay_days,
        "legitimate_share": legitimate_share,
        "review_share": review_share,
        "decline_share": decline_share,
        "decline_precision": decline_precision,
    }
    try:
        options = msgspec.convert(given | {"recipe": read_recipe(model)}, TrainingOptions)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{wrong_value(error, TrainingOptions)}. Choose other options.") from error
    profile = ProfileBounds(
        allowed_lateness_seconds=settings.profile.allowed_lateness_seconds,
        max_events=settings.profile.max_events,
    )
    started = time.perf_counter()
    with rows_progress("folded", row_count(data)) as on_progress:
        source = history_source(data, mapping, settings, labels, label_delay_days, order)
        bundle = train_bundle(
            source,
            Target(out, created, Limits.by(settings.model)),
            options,
            profile,
            on_progress,
            feature_fold(settings),
        )
    manifest, seconds = bundle.manifest, time.perf_counter() - started
    if json:
        printing.line(
            json_format.dumps(
                {
                    "bundle": str(out),
                    "digest": bundle.reference.digest,
                    "seconds": round(seconds, 3),
                    "thresholds": msgspec.to_builtins(manifest.thresholds),
                    "training": msgspec.to_builtins(manifest.training),
                    "metrics": manifest.metrics,
                }
            )
        )
        return
    printing.line(f"{out} written in {duration(seconds)}, digest {bundle.reference.digest}")
    printing.line(f"fitted on {manifest.training.rows:,} transactions, {manifest.training.frauds:,} frauds")
    printing.line(
        f"review from {manifest.thresholds.review:.6g}, decline from {manifest.thresholds.decline:.6g}"
    )
    for name, value in manifest.metrics.items():
        printing.line(f"{name:24} {'not defined' if value is None else f'{value:,.6g}'}")
    printing.hint(
        f"fraudstream model gate {out.parent.name}/{out.name} HISTORY, then fraudstream model promote"
    )
