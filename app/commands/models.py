"""``fraudstream model``: the bundles there are, and whether they may score."""

import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import champion

if TYPE_CHECKING:
    from app.adapters.bundles import Bundle
    from app.settings import Settings

commands = typer.Typer(
    no_args_is_help=True, help="Model bundles: which there are, whether they may score, which one decides."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("list")
def show(json: Json = False) -> None:
    """Print every bundle, with its place in aliases.toml."""
    from pathlib import Path

    import msgspec

    from app.adapters.catalogue import list_bundles
    from app.settings import Settings

    listed = list_bundles(Path(Settings.from_env().model.dir))
    if json:
        typer.echo(json_format.dumps({"models": msgspec.to_builtins(listed)}, indent=2))
        return
    for entry in listed:
        mark = f"  [{entry.alias}]" if entry.alias else ""
        typer.echo(f"{entry.reference}{mark}  {entry.summary}")


@commands.command("verify")
def verify(
    model: Annotated[str, typer.Argument(metavar="[NAME/VERSION]", help="Default: the champion.")] = "",
    json: Json = False,
) -> None:
    """Load a bundle and check all of it; exit code 1, with the reason, when it may not score."""
    from app.settings import Settings

    bundle = load_champion(Settings.from_env(), model)
    reference = bundle.reference
    if json:
        facts = {"model": f"{reference.name}/{reference.version}", "digest": reference.digest}
        typer.echo(json_format.dumps(facts | {"sound": True, "warnings": list(bundle.warnings)}))
        return
    typer.echo(f"{reference.name}/{reference.version} is sound, digest {reference.digest}")


def load_champion(settings: "Settings", model: str) -> "Bundle":
    """``model``, or the champion of the settings; what is odd about it is told on standard error."""
    from pathlib import Path

    from app.adapters.bundles import champion

    bundle = champion(Path(settings.model.dir), model or settings.model.champion)
    for warning in [*bundle.warnings, *bundle.manifest.profile.warnings(settings.profile)]:
        typer.secho(warning, fg=typer.colors.YELLOW, err=True)
    return bundle


for order in (champion.promote, champion.rollback, champion.release, champion.status):
    commands.command()(order)
