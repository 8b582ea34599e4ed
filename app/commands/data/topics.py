"""``fraudstream topics``: create, check and list the topics."""

import json as json_format
from typing import Annotated

import typer

from app.rendering import printing

commands = typer.Typer(no_args_is_help=True, help="Create, check and list the topics.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("ensure")
def ensure(json: Json = False) -> None:
    """Create the missing topics; existing ones are never altered, and if one differs nothing is created."""
    import asyncio

    from app.settings import Settings
    from app.topics import provisioning

    made = asyncio.run(provisioning.ensure(Settings.from_env()))
    if json:
        printing.json_text(json_format.dumps({"made": made}))
        return
    for name in made:
        printing.line(f"made {name}")
    printing.line("All topics are as they must be.")
    printing.hint("fraudstream worker")


@commands.command("check")
def check(json: Json = False) -> None:
    """Print every difference between the required topics and those of the brokers; exit code 1 if there is one."""
    import asyncio

    import msgspec

    from app.settings import Settings
    from app.topics import provisioning

    settings = Settings.from_env()
    found = asyncio.run(provisioning.differences(settings))
    remedies = provisioning.remedies(found, settings.kafka.bootstrap_servers)
    if json:
        printing.json_text(
            json_format.dumps({"differences": msgspec.to_builtins(found), "remedies": remedies}, indent=2)
        )
    else:
        printing.lines([*map(str, found), *remedies] or ["All topics are as they must be."])
    raise typer.Exit(1 if found else 0)


@commands.command("list")
def show(json: Json = False) -> None:
    """Print the required topics and their configuration, without asking the brokers."""
    import msgspec

    from app.settings import Settings
    from app.topics import provisioning
    from app.topics.topic_specs import topic_table

    table = topic_table(Settings.from_env())
    if json:
        printing.json_text(json_format.dumps({"topics": msgspec.to_builtins(table)}, indent=2))
        return
    for spec in table:
        printing.line(spec.name)
        printing.line(f"    {spec.purpose}")
        printing.line(
            f"    key {spec.key}, {spec.partitions} partitions, replication factor {spec.replication_factor}"
        )
        printing.lines(
            f"    {name}={provisioning.in_words(name, value)}" for name, value in spec.configs().items()
        )
