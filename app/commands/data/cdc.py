"""``fraudstream cdc``: a database table as the source of transactions. See docs/data/cdc.md."""

import json as json_format
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.adapters.kafka.connect_rest import ConnectorState
    from app.adapters.observability.prometheus import PrometheusMetrics
    from app.settings import Settings, WorkerSettings
    from app.traffic.insert_latency import InsertLatency

commands = typer.Typer(no_args_is_help=True, help="Read transactions from a database table through Debezium.")

DEFAULT_DIRECTORY = Path(".fraudstream/cdc-demo")
Rows = Annotated[int, typer.Option(min=1, help="Rows to insert, one database transaction each.")]
Rate = Annotated[float, typer.Option(min=0.1, help="Rows per second.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("register")
def register(
    files: Annotated[list[Path], typer.Argument(help="Connector files, as in deploy/connect.")],
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Override a value of the file; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Create or update connectors in Kafka Connect and wait until they run."""
    import msgspec

    from app.adapters.kafka.connect_rest import ConnectClient, load_connector
    from app.settings import Settings

    connect = ConnectClient(Settings.from_env().cdc.connect_url)
    replaced = _replaced(changed or [])
    connectors = [load_connector(path) for path in files]
    states = []
    for connector in connectors:
        connect.put(msgspec.structs.replace(connector, config=connector.config | replaced))
        states.append(connect.wait_running(connector.name))
    _show(states, json)


@commands.command("status")
def status(json: Json = False) -> None:
    """Print the state of every connector.

    Exit code 1 when a connector does not run, or when there is none.
    """
    from app.adapters.kafka.connect_rest import ConnectClient
    from app.settings import Settings

    states = ConnectClient(Settings.from_env().cdc.connect_url).states()
    _show(states, json)
    if not states or not all(state.running for state in states):
        raise typer.Exit(1)


@commands.command("reference")
def reference() -> None:
    """Copy changes of the bank's customer and terminal tables to Redis, until SIGTERM or Ctrl-C.

    `fraudstream alerts tail --reference` shows the rows. Several processes
    share the work. Metrics are served as those of a worker are.
    """
    import asyncio

    from app.settings import Settings

    asyncio.run(_follow(Settings.from_env()))


async def _follow(settings: "Settings") -> None:
    import asyncio
    import signal
    from logging.config import dictConfig

    from app.adapters.observability import logs
    from app.adapters.observability.prometheus import PrometheusMetrics
    from app.reference.redis_sync import follow

    logs.configure()
    dictConfig(logs.standard_config(settings.worker.log_format, settings.worker.log_level))
    until, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    metrics = PrometheusMetrics()
    with _served(settings.worker, metrics):
        await follow(settings, until, lambda written: printing.line(f"{written} changes written"), metrics)


@contextmanager
def _served(worker: "WorkerSettings", metrics: "PrometheusMetrics") -> "Iterator[None]":
    """Serve /metrics on the first free port from FRAUDSTREAM_WORKER_METRICS_PORT on, none where it is 0."""
    from app.adapters.observability.http_server import PORTS_TRIED, HttpServer

    if not worker.metrics_port:
        yield
        return
    server = HttpServer(worker.metrics_host, worker.metrics_port, {"/metrics": metrics.page}, PORTS_TRIED)
    try:
        yield
    finally:
        server.close()


@commands.command("latency")
def latency(
    database: Annotated[
        str,
        typer.Option(help="postgresql:// URL of the bank's database. Keep the password in PGPASSFILE."),
    ] = "",
    rows: Rows = 10_000,
    rate: Rate = 100.0,
    json: Json = False,
) -> None:
    """Insert rows into the bank's table and measure the time until each one is decided.

    For test deployments only: the rows are scored like any others. They are
    deleted afterwards. Exit code 1 when a row is not decided, or decided twice.
    """
    import asyncio
    import time
    from itertools import islice

    from app.errors import StackError
    from app.settings import Settings

    settings, prefix = Settings.from_env(), f"latency-{time.time_ns():x}-"
    try:
        from app.traffic.bank_table import BankTable
    except ModuleNotFoundError as error:
        raise StackError(f"{error.name} is not installed: pip install 'fraudstream[local]'.") from error
    from app.traffic.insert_latency import measure, plain_rows

    with BankTable(database) as bank:
        found = asyncio.run(measure(settings, bank, islice(plain_rows(prefix), rows), rate))
        bank.delete(prefix)
    _print_latencies(found, json)


@commands.command("demo")
def demo(
    rows: Rows = 10_000,
    rate: Rate = 100.0,
    directory: Annotated[
        Path, typer.Option("--dir", help="Directory for data, logs and the local stack; emptied first.")
    ] = DEFAULT_DIRECTORY,
    json: Json = False,
) -> None:
    """Start a database and the whole platform on this machine, insert rows with SQL and show the alerts.

    Prints the time from INSERT to decision at the end. Exit code 1 when a row
    is not decided, or decided twice.
    """
    from app.demo.plan import Plan
    from app.errors import StackError
    from app.rendering.console import SafeConsole
    from app.settings import Settings

    settings = Settings.from_env()
    try:
        from app.demo.bank_run import CUSTOMERS, run
    except ModuleNotFoundError as error:
        raise StackError(f"{error.name} is not installed: pip install 'fraudstream[local]'.") from error
    plan = Plan(directory=directory, seconds=rows / rate, rate=rate, customers=CUSTOMERS)
    try:
        found = run(plan, rows, settings, SafeConsole(stderr=json))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    _print_latencies(found, json)


def _print_latencies(found: "InsertLatency", as_json: bool) -> None:
    import msgspec

    if as_json:
        printing.json_text(json_format.dumps(msgspec.structs.asdict(found), indent=2))
    else:
        printing.line(
            f"{found.rows:,} rows inserted, {found.decided:,} decided, {found.repeated:,} decided again"
        )
        printing.line(
            f"from INSERT to decision: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms, "
            f"at most {found.most_ms:.1f} ms"
        )
    if found.decided < found.rows or found.repeated:
        raise typer.Exit(1)


def _replaced(changed: list[str]) -> dict[str, str]:
    from app.errors import ConfigurationError

    found = {}
    for word in changed:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise ConfigurationError(f"--set {word}: give NAME=VALUE.")
        found[name] = value
    return found


def _show(states: "list[ConnectorState]", as_json: bool) -> None:
    import msgspec

    if as_json:
        printing.json_text(json_format.dumps({"connectors": msgspec.to_builtins(states)}, indent=2))
        return
    printing.table(
        ("CONNECTOR", "STATE", "TASKS", "CAUSE"),
        (
            (state.name, state.connector, f"tasks {', '.join(state.tasks) or 'none'}", state.why or "")
            for state in states
        ),
    )
    if not states:
        printing.line("there is no connector")
