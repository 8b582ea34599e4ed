"""``fraudstream explain``: recompute an alert from the log, compare it bit for bit, and print its history."""

import json as json_format
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.shared.times import milliseconds, time_option
from app.rendering import printing

if TYPE_CHECKING:
    from app.replay.explain import Explanation
    from app.replay.find_alert import Period
    from app.settings import Settings


def explain(
    *,
    alert_id: Annotated[
        str | None, typer.Argument(metavar="[ALERT_ID]", help="alert_id of the alert.")
    ] = None,
    alert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the alert, as printed by `alerts tail --json`."),
    ] = None,
    since: Annotated[datetime | None, time_option("Search among alerts published from this time on.")] = None,
    until: Annotated[datetime | None, time_option("Search among alerts published before this time.")] = None,
    events: Annotated[int, typer.Option(min=1, help="Number of the customer's records to print.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Recompute an alert from the transactions log, compare it bit for bit, and print what led to it.

    Reads the customer's records up to the alert's offset, then folds and scores
    them again. Exit code 1 when anything differs, or when retention has deleted
    records that are needed. Run it with the settings of the workers. The output
    contains a customer's transactions. See docs/data/replay.md.
    """
    import asyncio

    from app.replay.find_alert import Period
    from app.replay.verdict import Verdict
    from app.settings import Settings

    if (alert_id is None) == (alert is None):
        raise typer.BadParameter("give one of ALERT_ID and --alert FILE")
    period = Period(milliseconds(since), milliseconds(until))
    explanation = asyncio.run(_explain(Settings.from_env(), alert_id, alert, period))
    _print(explanation, events, as_json=json)
    if explanation.verdict is not Verdict.IDENTICAL:
        raise typer.Exit(1)


async def _explain(
    settings: "Settings", alert_id: str | None, file: Path | None, period: "Period"
) -> "Explanation":
    from app.adapters.catalog_file.deployed import declared
    from app.adapters.kafka.range_reader import open_range_reader
    from app.catalog.transaction_type import transaction_type
    from app.commands.shared.history import fold_rules
    from app.commands.shared.progress import rows_progress
    from app.replay import explain as explaining
    from app.replay.find_alert import read_alert
    from app.replay.rescoring import bundle_of

    value = await _value(settings, alert_id, period) if file is None else _read(file)
    alert = read_alert(value, transaction_type(declared(settings.catalog.file)))
    bundle = bundle_of(settings.model, alert, settings.catalog.file)
    published = explaining.Published(alert, json_format.loads(value))
    async with open_range_reader(settings.kafka, alert.source.topic) as reader:
        with rows_progress("log read", alert.source.offset + 1) as on_progress:
            return await explaining.explain(published, reader, bundle, fold_rules(settings), on_progress)


async def _value(settings: "Settings", alert_id: str | None, period: "Period") -> bytes:
    from app.adapters.kafka.range_reader import open_range_reader
    from app.adapters.serde.offline_decoder import readable
    from app.replay.find_alert import find_alert

    async with open_range_reader(settings.kafka, settings.topics.alerts, readable(settings)) as reader:
        value = await find_alert(reader, alert_id or "", period)
    if value is None:
        raise typer.BadParameter(
            f"{alert_id} is not in {settings.topics.alerts}; it may have been deleted. `--alert FILE` explains an alert from a file."
        )
    return value


def _read(file: Path) -> bytes:
    from app.errors import InvalidFile

    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidFile(f"{file} cannot be read: {error.strerror}.") from error


def _print(explanation: "Explanation", events: int, *, as_json: bool) -> None:
    import msgspec

    from app.rendering.console import SafeConsole
    from app.replay.explanation_text import print_explanation

    if as_json:
        printing.json_text(msgspec.json.format(msgspec.json.encode(explanation), indent=2).decode())
    else:
        print_explanation(SafeConsole(soft_wrap=True, highlight=False), explanation, events)
