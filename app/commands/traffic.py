"""``fraudstream produce``: replay a file of transactions onto the topic."""

from pathlib import Path
from typing import Annotated

import typer

PACED_BATCH_ROWS = 1_000
"""Reading must not hold up a paced sender: so many rows take about a millisecond."""

Rate = Annotated[
    float | None,
    typer.Option(min=0.001, help="Events a second, at fixed times; without it as fast as it goes."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def produce(
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or JSON lines.")],
    mapping: Annotated[
        str | None, typer.Option(help="`handbook`, or a TOML file that says which column is which field.")
    ] = None,
    rate: Rate = None,
    topic: Annotated[
        str | None, typer.Option(help="Default: the transactions topic of the settings.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many transactions.")] = None,
    json: Json = False,
) -> None:
    """Replay FILE onto the transactions topic; a customer's transactions keep their order."""
    import itertools

    from app.adapters.files import DEFAULT_BATCH_ROWS, read_batches, row_count
    from app.adapters.mappings import load_mapping
    from app.settings import Settings
    from app.traffic import terminal

    settings = Settings.from_env()
    batch_rows = DEFAULT_BATCH_ROWS if rate is None else PACED_BATCH_ROWS
    batches = read_batches(file, load_mapping(mapping), batch_rows=batch_rows)
    rows = itertools.islice((row for batch in batches for row in batch.transactions()), limit)
    # The first row is read here, so that a file of the wrong shape is refused before any broker is asked.
    first = list(itertools.islice(rows, 1))
    name = topic or settings.topics.transactions
    produced = terminal.send(
        itertools.chain(first, rows),
        topic=name,
        bootstrap_servers=settings.kafka.bootstrap_servers,
        rate=rate,
        total=min(filter(None, (row_count(file), limit)), default=None),
    )
    typer.echo(terminal.describe(produced, name, as_json=json))
