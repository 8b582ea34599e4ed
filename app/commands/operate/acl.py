"""``fraudstream acl``: the rights of each role on the brokers."""

from enum import StrEnum
from typing import Annotated

import typer

from app.rendering import printing

commands = typer.Typer(no_args_is_help=True, help="Print the rights that each role needs on the brokers.")


class Form(StrEnum):
    """How ACLs are printed."""

    COMMANDS = "commands"
    JSON = "json"


@commands.callback()
def _group() -> None:
    """Typer makes a group of an application with one command only when there is a callback."""


@commands.command("print")
def show(
    roles: Annotated[
        list[str] | None, typer.Option("--role", metavar="ROLE", help="Only this role; may be repeated.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--principal",
            metavar="ROLE=PRINCIPAL",
            help="The principal of a role, User:ROLE by default; may be repeated.",
        ),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="A script of kafka-acls.sh, or one JSON list.")
    ] = Form.COMMANDS,
) -> None:
    """Print the ACLs of the roles for the topics and groups of the settings, without asking the brokers."""
    from app.settings import Settings
    from app.topics import acls
    from app.topics.access import ROLES

    for role in roles or ():
        if role not in ROLES:
            raise typer.BadParameter(f"{role} is none of {', '.join(ROLES)}")
    settings, named = Settings.from_env(), acls.principals(given or (), roles or ROLES.keys())
    write = acls.as_json if form is Form.JSON else acls.as_commands
    printing.own_text(write(settings, named))
