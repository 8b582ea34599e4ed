"""``fraudstream labels``: send fraud labels to their topic."""

from typing import Annotated

import typer

from app.commands.data.traffic import Json, Rate
from app.commands.shared.history_options import LabelledFile, Mapping
from app.rendering import printing

commands = typer.Typer(help="Send fraud labels (chargebacks) to their topic.", no_args_is_help=True)

DAY_MS = 86_400_000


@commands.command()
def send(
    *,
    file: LabelledFile,
    mapping: Mapping = None,
    label_delay_days: Annotated[
        float, typer.Option(min=0, help="Days from a transaction until its fraud is reported.")
    ] = 7.0,
    rate: Rate = None,
    topic: Annotated[str | None, typer.Option(help="Default: the labels topic of the settings.")] = None,
    json: Json = False,
) -> None:
    """Send a chargeback label for each fraud in FILE that is reported by now."""
    import time

    from app.adapters.tabular.files import read_batches
    from app.commands.shared.history import file_columns
    from app.settings import Settings
    from app.traffic import console, labels

    settings = Settings.from_env()
    batches = read_batches(file, file_columns(mapping, settings))
    known = labels.labels(batches, round(label_delay_days * DAY_MS), time.time_ns() // 1_000_000)
    name = topic or settings.topics.labels
    produced = console.send_records(
        (labels.record(label) for label in known), topic=name, kafka=settings.kafka, rate=rate
    )
    printing.line(console.describe(produced, name, as_json=json, what="labels"))
