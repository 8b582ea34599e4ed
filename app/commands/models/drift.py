"""``fraudstream drift``: how far scored transactions have moved from the training data of the model."""

import json as json_format
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.models.bundles import Bundle
    from app.scoring.drift import Drift, Recent
    from app.settings import Settings

EVERYTHING = 2**40
STEADY, MOVED, DRIFTED = "steady", "moved", "drifted"


def drift(
    file: Annotated[
        Path | None,
        typer.Argument(help="Output of `fraudstream score --with-features`. Default: the decisions topic."),
    ] = None,
    *,
    model: Annotated[str, typer.Option(help="NAME/VERSION. Default: the champion of the settings.")] = "",
    hours: Annotated[
        float | None, typer.Option(min=0.001, help="Read decisions of the last hours only. Default: all.")
    ] = None,
    warn: Annotated[float, typer.Option(min=0, help="An index from this value on counts as moved.")] = 0.1,
    alert: Annotated[
        float, typer.Option(min=0, help="An index from this value on counts as drifted.")
    ] = 0.25,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the population stability index of the score and of every feature, largest first.

    Exit code 1 when one has drifted.
    """
    if file is not None and hours is not None:
        raise typer.BadParameter("--hours goes with the decisions topic")
    if warn > alert:
        raise typer.BadParameter("--warn must not be above --alert")
    from app.commands.models.models import load_champion
    from app.settings import Settings

    settings = Settings.from_env()
    bundle = load_champion(settings, model)
    recent = _recent(settings, bundle, file, hours)
    drifts = sorted(recent.drifts(), key=lambda drift: -drift.psi)
    levels = [_level(drift.psi, warn, alert) for drift in drifts]
    _print_drifts(bundle, recent.rows, list(zip(drifts, levels, strict=True)), as_json=json)
    if DRIFTED in levels:
        raise typer.Exit(1)


def _recent(settings: "Settings", bundle: "Bundle", file: Path | None, hours: float | None) -> "Recent":
    import asyncio

    from app.adapters.catalog_file.deployed import computation
    from app.adapters.topic_records.scored_rows import file_rows
    from app.errors import ConfigurationError
    from app.scoring.drift import FEWEST_ROWS, Recent, Reference

    names = computation(settings.catalog.file).features.names
    recent = Recent(Reference(bundle.manifest.distributions, bundle.manifest.scores), EVERYTHING, names)
    if file is None:
        asyncio.run(_observe_decisions(settings, bundle, recent, hours))
    else:
        for part in file_rows(file, names):
            recent.observe(*part)
    if not recent.rows:
        raise ConfigurationError("There are no decisions to compare. Choose other --hours, --model or FILE.")
    if recent.rows < FEWEST_ROWS:
        warning = f"{recent.rows} rows: below {FEWEST_ROWS:,} chance alone moves an index"
        printing.line(warning, colour=typer.colors.YELLOW, err=True)
    return recent


async def _observe_decisions(
    settings: "Settings", bundle: "Bundle", recent: "Recent", hours: float | None
) -> None:
    import time

    from app.adapters.catalog_file.deployed import computation
    from app.adapters.topic_records.scored_rows import decided_rows

    since_ms = None if hours is None else int((time.time() - hours * 3600) * 1000)
    unreadable = Counter[str]()
    count = partial(unreadable.update, ["records"])
    names = computation(settings.catalog.file).features.names
    async for part in decided_rows(settings, bundle.reference, since_ms, count, names):
        recent.observe(*part)
    if unreadable:
        number = f"{unreadable.total():,} records of {settings.topics.decisions}"
        printing.line(f"{number} are no decisions and are left out", err=True)


def _level(psi: float, warn: float, alert: float) -> str:
    if psi >= alert:
        return DRIFTED
    return MOVED if psi >= warn else STEADY


def _print_drifts(bundle: "Bundle", rows: int, found: "list[tuple[Drift, str]]", *, as_json: bool) -> None:
    from app.domain.control import model_id

    if as_json:
        facts = {"model": model_id(bundle.reference), "digest": bundle.reference.digest, "decisions": rows}
        drifts = [drift._asdict() | {"level": level} for drift, level in found]
        printing.json_text(json_format.dumps(facts | {"drifts": drifts}, indent=2))
        return
    printing.line(f"{model_id(bundle.reference)}, {rows:,} decisions against its training rows")
    printing.line(f"{'':34} {'PSI':>8}  {'':8} {'missing then':>12} {'now':>8}")
    for drift, level in found:
        missing = f"{drift.missing_before:>12.2%} {drift.missing_now:>8.2%}"
        printing.line(f"{drift.name:34} {drift.psi:>8.4f}  {level:8} {missing}")
