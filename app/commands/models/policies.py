"""``fraudstream policy``: check, print and compare policy files."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.models import policy_orders
from app.commands.shared.history_options import Catalog
from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.toml_file.reader import Mistake
    from app.catalog.definitions import Catalog as Definitions
    from app.checking.differences import DefinitionDifference
    from app.policy.definitions import Policy

commands = typer.Typer(
    no_args_is_help=True,
    help="Check, print, compare, store and order policies: rules, score bands and lists.",
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file, or a folder with a policy.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("check")
def check(file: File, *, catalog: Catalog = None, json: Json = False) -> None:
    """Check a policy and run the tests of its rules; print every mistake with line, column and the remedy.

    Needs no broker. Exit code 1 when there is one.
    """
    from app.adapters.policy_file.reader import content, file_of, parsed

    policy, mistakes = parsed(content(file), _catalog(catalog))
    _print_check(str(file_of(file)), policy, mistakes, as_json=json)
    raise typer.Exit(0 if policy else 1)


@commands.command("show")
def show(file: File, *, catalog: Catalog = None, json: Json = False) -> None:
    """Print the rules, bands and lists of a policy. Needs no broker."""
    from app.adapters.policy_file.reader import load_policy

    _print_policy(load_policy(file, _catalog(catalog)), as_json=json)


@commands.command("diff")
def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="A policy file, or a folder with a policy.toml.")
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy that is to replace it.")],
    *,
    catalog: Catalog = None,
    json: Json = False,
) -> None:
    """Compare two policies: what is added, removed and changed. Exit code 1 when they differ."""
    from app.adapters.policy_file.reader import load_policy
    from app.policy.diff import differences

    known = _catalog(catalog)
    found = differences(load_policy(old, known), load_policy(new, known))
    _print_differences(found, as_json=json)
    raise typer.Exit(1 if found else 0)


def _catalog(name: str | None) -> "Definitions":
    """The catalog of the option, of the settings, or of this release."""
    from app.adapters.catalog_file.reader import BASELINE, load_catalog
    from app.settings import Settings

    return load_catalog(name or Settings.from_env().catalog.file or BASELINE)


def _print_check(
    file: str, policy: "Policy | None", mistakes: "tuple[Mistake, ...]", *, as_json: bool
) -> None:
    from app.rendering.policy_text import summary, without_tests

    if as_json:
        listed = [
            {
                "line": line,
                "column": column,
                "key": problem.key,
                "message": problem.message,
                "remedy": problem.remedy,
            }
            for line, problem, column in mistakes
        ]
        untested = [] if policy is None else without_tests(policy)
        facts = {"file": file, "mistakes": listed, "live_rules_without_tests": untested}
        printing.json_text(json_format.dumps(facts, indent=2))
    elif policy is not None:
        printing.line(f"{file} is sound: {policy.name}/{policy.version}, {summary(policy)}")
        if untested := without_tests(policy):
            printing.line(f"live rules without a test: {', '.join(untested)}", err=True)
        if policy.budget is not None:
            printing.line("[budget]: no worker keeps one yet, and workers refuse this policy", err=True)
        printing.hint(f"fraudstream policy show {file}")
    else:
        printing.lines(mistake.text_with_column(file) for mistake in mistakes)
        printing.line(f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)}", err=True)


def _print_policy(policy: "Policy", *, as_json: bool) -> None:
    from app.rendering.policy_text import policy_facts, policy_lines

    if as_json:
        printing.json_text(json_format.dumps(policy_facts(policy), indent=2))
    else:
        printing.lines(policy_lines(policy))


def _print_differences(found: "list[DefinitionDifference]", *, as_json: bool) -> None:
    import msgspec

    from app.rendering.policy_text import difference_lines

    if as_json:
        printing.json_text(json_format.dumps({"differences": msgspec.to_builtins(found)}, indent=2))
        return
    for difference in found:
        printing.lines(difference_lines(difference))
    if not found:
        printing.line("The policies define the same.")


for _order in (policy_orders.store, policy_orders.promote, policy_orders.rollback, policy_orders.release):
    commands.command()(_order)
