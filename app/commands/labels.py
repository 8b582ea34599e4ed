"""``fraudstream labels``: what became known of transactions, onto its topic."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.traffic import Json, Rate

commands = typer.Typer(help="What became known of transactions later.", no_args_is_help=True)

DAY_MS = 86_400_000


@commands.command()
def send(
    *,
    file: Annotated[Path, typer.Argument(help="A labelled history: Parquet, CSV or JSON lines.")],
    mapping: Annotated[
        str | None, typer.Option(help="`handbook`, or a TOML file that says which column is which field.")
    ] = None,
    label_delay_days: Annotated[
        float, typer.Option(min=0, help="A fraud is reported so long after its transaction.")
    ] = 7.0,
    rate: Rate = None,
    topic: Annotated[str | None, typer.Option(help="Default: the labels topic of the settings.")] = None,
    json: Json = False,
) -> None:
    """Send a label for each fraud of FILE that would be known by now."""
    import time

    from app.adapters.column_mapping import load_mapping
    from app.adapters.tabular.files import read_batches
    from app.settings import Settings
    from app.traffic import labels, terminal

    settings = Settings.from_env()
    batches = read_batches(file, load_mapping(mapping))
    known = labels.labels(batches, round(label_delay_days * DAY_MS), time.time_ns() // 1_000_000)
    name = topic or settings.topics.labels
    produced = terminal.send_records(
        (labels.record(label) for label in known), topic=name, kafka=settings.kafka, rate=rate
    )
    typer.echo(terminal.describe(produced, name, as_json=json, what="labels"))
