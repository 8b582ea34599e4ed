"""``fraudstream settings``: print every setting with its value and its default."""

import json as json_format
from typing import Annotated

import typer


def show(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print every setting with its current value, and its default where it differs."""
    from app.settings import Settings, setting_names, values

    in_force = values(Settings.from_env())
    if json:
        typer.echo(json_format.dumps(in_force, indent=2))
        return
    for name, default in setting_names():
        mark = "" if in_force[name] == default else f"   (default {default})"
        typer.echo(f"{name}={in_force[name]}{mark}")
