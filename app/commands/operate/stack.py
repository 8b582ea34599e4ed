"""``fraudstream stack``: run Kafka, Redis and what goes with them on this machine, for the demo and the tests."""

import json as json_format
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from app.domain.safe_text import without_credentials
from app.errors import ConfigurationError, StackError
from app.rendering import printing

if TYPE_CHECKING:
    from app.local.state import Part, Stack

commands = typer.Typer(help="Run Kafka and Redis on this machine, without containers.", no_args_is_help=True)

ALWAYS = "redis"

Directory = Annotated[Path, typer.Option("--dir", help="Directory of the stack's data, logs and state file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DEFAULT_DIRECTORY = Path(".fraudstream/stack")


@commands.command()
def up(
    brokers: Annotated[
        int | None, typer.Option(help="Number of brokers, 1 or 3. Default: as before in --dir, else 1.")
    ] = None,
    also: Annotated[
        str,
        typer.Option(
            "--with", help="Further parts, comma-separated: registry, postgres, connect. Redis always runs."
        ),
    ] = ALWAYS,
    directory: Directory = DEFAULT_DIRECTORY,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the first broker. Default: a free one.")
    ] = None,
    lifeline: Annotated[
        int | None, typer.Option("--while", metavar="PID", help="Stop when this process ends.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Start the stack and wait until every part answers."""
    stack = _library()
    extras = _extras(also)
    running = stack.status(directory)
    was_up = running is not None and running.supervised
    began = time.monotonic()
    started = stack.start(directory, brokers, port, lifeline, also=extras)
    if json:
        printing.json_text(json_format.dumps(_described(started), indent=2))
        return
    from app.local import environment

    _print_parts(started)
    printing.lines(environment.exports(environment.settings(started)))
    printing.line("it was up already" if was_up else f"ready in {time.monotonic() - began:.1f} s")


@commands.command("env")
def exports(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Print the addresses of the running stack as shell commands, for `eval "$(fraudstream stack env)"`.

    Besides the settings of this program they set what redis-cli and psql read, with the passwords of this stack's Redis and
    Postgres: keep the output out of logs.
    """
    running = _library().status(directory)
    if running is None or _state(running) != "up":
        state = (
            "broken: see `fraudstream stack status`"
            if running
            else "down. Start it with `fraudstream stack up`"
        )
        raise StackError(f"the stack in {directory} is {state}.")
    from app.local import environment

    printing.lines(environment.exports(environment.settings(running) | environment.clients(running)))


@commands.command()
def down(directory: Directory = DEFAULT_DIRECTORY, json: AsJson = False) -> None:
    """Stop the stack; the data of the brokers is kept for the next `up`."""
    stopped = _library().stop(directory)
    if json:
        printing.json_text(json_format.dumps({"state": "down", "stopped": stopped}))
    else:
        printing.line("stopped" if stopped else f"nothing is up in {directory}")


@commands.command()
def status(directory: Directory = DEFAULT_DIRECTORY, json: AsJson = False) -> None:
    """Print the parts that run. Exit code 1 when the stack is down or a part has died."""
    recorded = _library().status(directory)
    if json:
        printing.json_text(
            json_format.dumps(_described(recorded) if recorded else {"state": "down"}, indent=2)
        )
    elif recorded is None:
        printing.line(f"down: nothing is up in {directory}")
    else:
        _print_parts(recorded)
    if recorded is None or _state(recorded) != "up":
        raise typer.Exit(1)


def _library() -> ModuleType:
    try:
        from app.local import stack
    except ModuleNotFoundError as error:
        raise StackError(f"{error.name} is not installed: pip install 'fraudstream[local]'.") from error
    return stack


def _extras(also: str) -> list[str]:
    from app.local.extras import EXTRAS

    names = dict.fromkeys(name for name in also.split(",") if name not in {"", ALWAYS})
    for name in names:
        if name not in EXTRAS:
            raise ConfigurationError(f"--with {name}: not available. Known: {', '.join([ALWAYS, *EXTRAS])}.")
    return list(names)


def _state(stack: "Stack") -> str:
    return "broken" if stack.dead or not stack.supervised else "up"


def _described(stack: "Stack") -> dict[str, object]:
    return {
        "state": _state(stack),
        "directory": str(stack.directory),
        "bootstrap_servers": stack.bootstrap_servers,
        "redis_url": stack.redis_url,
        "redis_password_file": str(stack.redis_password_file),
        "registry_url": stack.registry_url,
        "urls": {name: without_credentials(url) for name, url in _urls(stack).items()},
        "cluster_id": stack.cluster_id,
        "parts": [_described_part(part) for part in stack.parts],
    }


def _urls(stack: "Stack") -> dict[str, str]:
    from app.local.extras import urls

    return urls(stack)


def _described_part(part: "Part") -> dict[str, object]:
    return {"name": part.name, "alive": part.alive, "pid": part.pid, "port": part.port, "log": str(part.log)}


def _print_parts(stack: "Stack") -> None:
    for part in stack.parts:
        life = f"pid {part.pid}" if part.alive else "DIED"
        printing.line(f"{part.name:<8}  127.0.0.1:{part.port}  {life:<12}  {part.log}")
    for name, url in _urls(stack).items():
        printing.line(f"{name}: {url}")
    if stack.postgres_password:
        from app.local.postgres import password_file

        printing.line(f"postgres: the password of user bank is in {password_file(stack.directory)}")
    if not stack.supervised:
        printing.line("the supervisor has died: `fraudstream stack down` cleans up")
