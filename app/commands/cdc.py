"""``fraudstream cdc``: a database's table as a source of transactions; docs/cdc.md."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.adapters.kafka_connect import State

commands = typer.Typer(no_args_is_help=True, help="Transactions from a database's table, by Debezium.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("register")
def register(
    files: Annotated[list[Path], typer.Argument(help="Connectors, as in deploy/connect.")],
    changed: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Instead of what the file says.")
    ] = None,
    json: Json = False,
) -> None:
    """Give connectors to Kafka Connect, or change them, and wait until they run."""
    import msgspec

    from app.adapters.kafka_connect import Connect, load_connector
    from app.settings import Settings

    connect = Connect(Settings.from_env().cdc.connect_url)
    replaced = _replaced(changed or [])
    connectors = [load_connector(path) for path in files]
    states = []
    for connector in connectors:
        connect.put(msgspec.structs.replace(connector, config=connector.config | replaced))
        states.append(connect.wait_running(connector.name))
    _show(states, json)


@commands.command("status")
def status(json: Json = False) -> None:
    """Say how the connectors are. Exit code 1 when one of them does not run, or there is none."""
    from app.adapters.kafka_connect import Connect
    from app.settings import Settings

    states = Connect(Settings.from_env().cdc.connect_url).states()
    _show(states, json)
    if not states or not all(state.running for state in states):
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


def _show(states: "list[State]", as_json: bool) -> None:
    import msgspec

    if as_json:
        typer.echo(json_format.dumps({"connectors": msgspec.to_builtins(states)}, indent=2))
        return
    for state in states:
        why = f"  {state.why}" if state.why else ""
        typer.echo(f"{state.name}  {state.connector}  tasks {', '.join(state.tasks) or 'none'}{why}")
    if not states:
        typer.echo("there is no connector")
