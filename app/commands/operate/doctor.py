"""``fraudstream doctor``: check an installation and print what to do about each problem."""

import json as json_format
from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.operations.finding import Finding


def doctor(*, json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Check the whole installation and print what to do about each problem.

    Checks settings, model, data directory, open files, Redis, schema registry,
    brokers, disks, topics, group, lag, open transactions, lost records, dead
    letters, clock and the newest decisions. Each is ok, a warning or failed. Changes nothing. Exit
    code 1 when a check failed.
    """
    import msgspec

    from app.operations.finding import Outcome

    findings = _findings()
    if json:
        printing.json_text(json_format.dumps({"findings": msgspec.to_builtins(findings)}, indent=2))
    else:
        printing.head_line(f"{'OUTCOME':<8}{'CHECK':<15} FOUND, -> REMEDY")
        for finding in findings:
            _print_finding(finding)
    raise typer.Exit(1 if any(finding.outcome == Outcome.FAILED for finding in findings) else 0)


def _findings() -> "list[Finding]":
    import asyncio
    import logging

    from app.errors import ConfigurationError
    from app.operations.doctor import examine
    from app.operations.finding import failed, ok
    from app.settings import Settings

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = Settings.from_env()
    except ConfigurationError as error:
        return [failed("settings", str(error), "Nothing else was checked.")]
    return [ok("settings", f"valid, for {settings.deployment.stage}"), *asyncio.run(examine(settings))]


def _print_finding(finding: "Finding") -> None:
    colour = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "failed": typer.colors.RED}
    printing.line(f"{finding.outcome:<8}", colour=colour[finding.outcome], end=False)
    printing.line(f"{finding.check:<15} {finding.found}")
    if finding.remedy:
        printing.line(f"{'':<8}{'':<15} -> {finding.remedy}")
