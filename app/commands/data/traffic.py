"""``fraudstream simulate`` and ``fraudstream produce``: traffic from a simulation or from a file."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.shared.history_options import AsArrived, Mapping, Sort, row_order
from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.adapters.tabular.row_order import RowOrder
    from app.domain.transaction import Transaction
    from app.settings import Settings

FIRST_DAY = date(2025, 1, 1)

PACED_BATCH_ROWS = 1_000
"""Rows read at a time for a paced sender: reading them takes about a millisecond, so it does not delay sending."""

Rate = Annotated[
    float | None,
    typer.Option(min=0.001, help="Events per second, evenly spaced. Default: as fast as possible."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _day(given: str | date) -> date:
    """Parse a day. Typer passes the default through here too, which is a date already."""
    return given if isinstance(given, date) else date.fromisoformat(given)


def simulate(
    *,
    customers: Annotated[int, typer.Option(min=1, help="Number of customers.")] = 5_000,
    terminals: Annotated[int, typer.Option(min=2, help="Number of terminals.")] = 10_000,
    days: Annotated[int, typer.Option(min=1, help="Number of days.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="The same options and seed give the same bytes.")] = 0,
    start: Annotated[date, typer.Option(parser=_day, metavar="DATE", help="First day, UTC.")] = FIRST_DAY,
    out: Annotated[
        Path | None, typer.Option(help="Write a Parquet, CSV or JSON lines file with labels.")
    ] = None,
    topic: Annotated[
        bool, typer.Option("--topic", help="Send to the transactions topic, or to the topic NAME.")
    ] = False,
    name: Annotated[str | None, typer.Argument(help="With --topic: another topic.")] = None,
    rate: Rate = None,
    json: Json = False,
) -> None:
    """Simulate labelled traffic with known fraud patterns, into a file or onto a topic (without labels)."""
    if (out is None) is not topic or (name is not None and not topic):
        raise typer.BadParameter("give either --out FILE or --topic [NAME]")
    if rate is not None and not topic:
        raise typer.BadParameter("--rate goes with --topic")
    from app.settings import Settings
    from app.traffic import console
    from app.traffic.simulate import Simulation, simulate
    from app.traffic.simulated_file import write_simulation

    simulation = Simulation(customers=customers, terminals=terminals, days=days, seed=seed, start=start)
    if out is not None:
        with console.progress_bar("simulated") as on_progress:
            written = write_simulation(simulation, out, on_progress)
        printing.line(written.describe(out, as_json=json))
        printing.hint(
            f"fraudstream produce {out}, or without Kafka: fraudstream score {out} --out scores.parquet"
        )
        return
    settings = Settings.from_env()
    name = name or settings.topics.transactions
    produced = console.send(
        (row for batch in simulate(simulation) for row in batch.transactions()),
        topic=name,
        kafka=settings.kafka,
        rate=rate,
    )
    printing.line(console.describe(produced, name, as_json=json))


def produce(
    *,
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or JSON lines.")],
    mapping: Mapping = None,
    rate: Rate = None,
    topic: Annotated[
        str | None, typer.Option(help="Default: the transactions topic of the settings.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many transactions.")] = None,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    json: Json = False,
) -> None:
    """Send the transactions in FILE to the transactions topic, in order for each customer."""
    import itertools

    from app.adapters.tabular.files import row_count
    from app.settings import Settings
    from app.traffic import console

    settings = Settings.from_env()
    read = transactions_in(file, mapping, settings, row_order(sort, as_arrived), paced=rate is not None)
    rows = itertools.islice(read, limit)
    # Reading the first row here refuses a malformed file before any broker is contacted.
    first = list(itertools.islice(rows, 1))
    name = topic or settings.topics.transactions
    produced = console.send(
        itertools.chain(first, rows),
        topic=name,
        kafka=settings.kafka,
        rate=rate,
        total=min(filter(None, (row_count(file), limit)), default=None),
    )
    printing.line(console.describe(produced, name, as_json=json))
    printing.hint("fraudstream alerts tail --from-beginning")


def transactions_in(
    file: Path, mapping: str | None, settings: "Settings", order: "RowOrder", *, paced: bool = False
) -> "Iterator[Transaction]":
    """The transactions of a file, as ``produce`` sends them."""
    from app.adapters.tabular.files import DEFAULT_BATCH_ROWS, read_batches
    from app.adapters.tabular.row_order import RowOrder, in_order
    from app.commands.shared.history import file_columns, order_rule

    rule = order_rule(order, settings)
    read = read_batches(
        file,
        file_columns(mapping, settings),
        batch_rows=PACED_BATCH_ROWS if paced else DEFAULT_BATCH_ROWS,
        sort=rule.order is RowOrder.SORTED,
    )
    return (row for batch in in_order(read, file, rule) for row in batch.transactions())
