"""``fraudstream schemas``: register, check and print the schemas of the events."""

import json as json_format
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.adapters.schema_registry.subjects import Subject
    from app.adapters.serde.registration import RegistrationStatus
    from app.settings import Settings

commands = typer.Typer(
    no_args_is_help=True, help="Register, check and print the Avro and Protobuf schemas of the events."
)


class Event(StrEnum):
    """The events that have a schema."""

    TRANSACTIONS = "transactions"
    LABELS = "labels"
    DECISIONS = "decisions"
    ALERTS = "alerts"


Form = Annotated[
    Literal["avro", "protobuf"] | None,
    typer.Option("--format", help="Default: FRAUDSTREAM_REGISTRY_OUTPUT_FORMAT, or avro where that is json."),
]
Only = Annotated[list[Event] | None, typer.Option(help="Only the schema of this event; may be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("register")
def register(*, form: Form = None, only: Only = None, json: Json = False) -> None:
    """Register the schemas of this release under TOPIC-value and set their compatibility levels.

    The levels are BACKWARD for transactions and labels, FULL for decisions and
    alerts. Exit code 1 when a schema is not compatible with the registered one,
    which is then left unchanged.
    """
    from app.adapters.serde.registration import register as register_one

    _each(register_one, form, only, as_json=json)


@commands.command("check")
def check(*, form: Form = None, only: Only = None, json: Json = False) -> None:
    """Check that the schemas of this release are compatible with the registered ones; for CI.

    Changes nothing. Exit code 1 when one is not compatible.
    """
    from app.adapters.serde.registration import check as check_one

    _each(check_one, form, only, as_json=json)


@commands.command("show")
def show(
    *,
    event: Annotated[Event, typer.Argument(help="The event.")],
    form: Form = None,
    json: Json = False,
) -> None:
    """Print the schema of an event in this release, without asking the registry."""
    from app.adapters.schema_registry.registry_extra import require_extra
    from app.adapters.serde.event_encoder import own_schema
    from app.settings import Settings

    settings = Settings.from_env()
    require_extra("`fraudstream schemas`")
    subject = _subjects(settings, [event])[0]
    schema = own_schema(subject.event, _format(settings, form))
    if json:
        facts = {"subject": subject.name, "level": subject.level, "kind": schema.kind, "schema": schema.text}
        printing.json_text(json_format.dumps(facts, indent=2))
    else:
        printing.own_text(schema.text)


def _each(
    do: "Callable[..., RegistrationStatus]",
    form: Literal["avro", "protobuf"] | None,
    only: "list[Event] | None",
    *,
    as_json: bool,
) -> None:
    import msgspec

    from app.adapters.schema_registry.registry_extra import require_extra
    from app.errors import ConfigurationError
    from app.settings import Settings

    settings = Settings.from_env()
    if not settings.registry.url:
        raise ConfigurationError("FRAUDSTREAM_REGISTRY_URL is not set. Set it to the registry's address.")
    require_extra("`fraudstream schemas`")
    from app.adapters.schema_registry.client import RegistryClient

    registry, chosen = RegistryClient(settings.registry), _format(settings, form)
    found = [do(registry, subject, chosen) for subject in _subjects(settings, only)]
    if as_json:
        printing.json_text(
            json_format.dumps({"format": chosen, "subjects": msgspec.to_builtins(found)}, indent=2)
        )
    else:
        for standing in found:
            printing.lines(_lines(standing))
    raise typer.Exit(1 if any(standing.problems for standing in found) else 0)


def _lines(standing: "RegistrationStatus") -> list[str]:
    if standing.problems:
        return [standing.subject, *(f"    {problem}" for problem in standing.problems)]
    if standing.newest is None:
        return [f"{standing.subject}: nothing is registered yet"]
    registered = f"registered, id {standing.id}" if standing.id is not None else "may be the next version"
    return [f"{standing.subject}: {registered}, {standing.level}"]


def _format(settings: "Settings", asked: Literal["avro", "protobuf"] | None) -> Literal["avro", "protobuf"]:
    if asked:
        return asked
    return "protobuf" if settings.registry.output_format == "protobuf" else "avro"


def _subjects(settings: "Settings", only: "list[Event] | None") -> "list[Subject]":
    from app.adapters.schema_registry.subjects import subjects

    return [subject for name, subject in subjects(settings.topics).items() if not only or name in only]
