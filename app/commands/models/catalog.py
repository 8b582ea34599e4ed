"""``fraudstream catalog``: check, print and compare catalog files."""

import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.toml_file.reader import Mistake
    from app.catalog.definitions import Catalog
    from app.catalog.diff import Difference

commands = typer.Typer(no_args_is_help=True, help="Check, print and compare catalogs of features.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("check")
def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A catalog file, or the name of a built-in one.")
    ],
    *,
    json: Json = False,
) -> None:
    """Check a catalog file; print every mistake with its line and the remedy. Needs no broker.

    Exit code 1 when there is one.
    """
    from app.adapters.catalog_file.reader import content, parsed

    catalog, mistakes = parsed(content(file))
    _print_check(file, catalog, mistakes, as_json=json)
    raise typer.Exit(0 if catalog else 1)


@commands.command("show")
def show(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="A catalog file, or the name of a built-in one.")
    ] = "baseline",
    *,
    json: Json = False,
) -> None:
    """Print the fields, entities and features of a catalog. Needs no broker."""
    from app.adapters.catalog_file.reader import load_catalog

    _print_catalog(load_catalog(file), as_json=json)


@commands.command("diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A catalog file, or the name of a built-in one.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The catalog that is to replace it.")],
    *,
    json: Json = False,
) -> None:
    """Compare two catalogs, and say for each feature whether it needs the log or the state that workers keep.

    Exit code 1 when they differ.
    """
    from app.adapters.catalog_file.reader import load_catalog
    from app.catalog.diff import differences

    found = differences(load_catalog(old), load_catalog(new))
    _print_differences(found, as_json=json)
    raise typer.Exit(1 if found else 0)


def _print_check(
    file: str, catalog: "Catalog | None", mistakes: "tuple[Mistake, ...]", *, as_json: bool
) -> None:
    from app.catalog.digest import catalog_digest
    from app.rendering.catalog_text import summary

    if as_json:
        listed = [
            {"line": line, "key": problem.key, "message": problem.message, "remedy": problem.remedy}
            for line, problem, _ in mistakes
        ]
        facts = {"file": file, "digest": catalog and catalog_digest(catalog), "mistakes": listed}
        printing.json_text(json_format.dumps(facts, indent=2))
    elif catalog is not None:
        printing.line(f"{file} is sound: {summary(catalog)}")
        printing.hint(f"fraudstream catalog show {file}")
    else:
        printing.lines(mistake.text(file) for mistake in mistakes)
        printing.line(f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)}", err=True)


def _print_catalog(catalog: "Catalog", *, as_json: bool) -> None:
    from app.rendering.catalog_text import catalog_facts, catalog_lines

    if as_json:
        printing.json_text(json_format.dumps(catalog_facts(catalog), indent=2))
    else:
        printing.lines(catalog_lines(catalog))


def _print_differences(found: "list[Difference]", *, as_json: bool) -> None:
    import msgspec

    from app.rendering.catalog_text import difference_lines

    if as_json:
        printing.json_text(json_format.dumps({"differences": msgspec.to_builtins(found)}, indent=2))
        return
    for difference in found:
        printing.lines(difference_lines(difference))
    if not found:
        printing.line("The catalogs define the same.")
