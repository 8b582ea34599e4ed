"""``fraudstream settings``: print every setting with its value and its default."""

import json as json_format
from typing import Annotated

import typer

from app.rendering import printing


def show(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print every setting with its current value, and its default where it differs."""
    from app.settings import Settings, setting_names, values
    from app.settings.kinds import shown

    in_force = {name: shown(value) for name, value in values(Settings.from_env()).items()}
    if json:
        printing.json_text(json_format.dumps(in_force, indent=2))
        return
    for name, default in setting_names():
        mark = "" if in_force[name] == default else f"   (default {default})"
        printing.line(f"{name}={in_force[name]}{mark}")
