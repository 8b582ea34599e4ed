"""``fraudstream files``: list and copy the files that come with the program."""

from pathlib import Path
from typing import Annotated

import typer

from app.rendering import printing
from app.shipped import NAMES, Name

commands = typer.Typer(
    no_args_is_help=True, help="List and copy the files that come with fraudstream: models, deploy, schemas."
)


@commands.command("list")
def show() -> None:
    """Print each folder, its number of files and its path."""
    from app.shipped import folder
    from app.shipped.copying import contents

    for name in NAMES:
        path = folder(name)
        printing.line(f"{name:<8} {len(contents(path)):>3} files  {path}")


@commands.command("copy")
def copy(
    name: Annotated[Name, typer.Argument(help="The folder.")],
    to: Annotated[Path | None, typer.Option(help="The copy; must not exist. Default: ./NAME.")] = None,
) -> None:
    """Copy a folder to the working directory, or to --to."""
    from app.shipped import copying

    target = Path(name) if to is None else to
    printing.line(f"{copying.copy(name, target)} files in {target}")
