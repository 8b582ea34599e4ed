"""Shared by the commands that write to the control topic."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from app.domain.clock import utc_text
from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from app.adapters.kafka.records import OutRecord
    from app.adapters.topic_records.control_log import ControlLog
    from app.domain.control import WorkerReport
    from app.settings import Settings
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Key = Annotated[Path | None, typer.Option(help="PEM file of the Ed25519 private key that signs the order.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the answers of the workers.")]


class Control(NamedTuple):
    """What an order is made of and sent with."""

    settings: "Settings"
    log: "ControlLog"
    """The current content of the control topics."""
    key: "Ed25519PrivateKey | None"


def control(key_file: Path | None = None) -> Control:
    """Read the settings, the key that signs and the control topics."""
    import asyncio

    from app.adapters.topic_records.control_reader import read_control_log
    from app.adapters.topic_records.order_sending import signing_key
    from app.settings import Settings

    settings = Settings.from_env()
    key = signing_key(settings, key_file)
    return Control(settings, asyncio.run(read_control_log(settings, key)), key)


def send_order(
    given: Control,
    records: "Sequence[OutRecord]",
    wait: float,
    refused: "Callable[[WorkerReport], bool]",
    summary: str,
    *,
    json: bool,
) -> None:
    """Send an order to the workers and print their answers. Raises typer.Exit unless every worker follows it."""
    import asyncio

    import msgspec

    from app.streaming.control import client as control_client

    answers = asyncio.run(control_client.send_and_await_answers(given.settings, records, wait, given.key))
    unanimous = answers.unanimous(refused)
    if json:
        facts = {
            "order": msgspec.json.decode(records[-1].value or b"null"),
            "workers": msgspec.to_builtins(answers.reports),
            "silent": [report.worker for report in answers.silent],
            "unanimous": unanimous,
        }
        printing.json_text(json_format.dumps(facts, indent=2))
    else:
        printing.line(summary)
        for report in answers.reports:
            printing.lines(report_lines(report))
        for report in answers.silent:
            printing.line(f"{report.host} {report.worker}  did not answer; it may still follow")
    if not unanimous:
        raise typer.Exit(1)


def report_lines(report: "WorkerReport", *, silent: bool = False) -> list[str]:
    """One line for the champion, then one per challenger and canary; the last one states that the worker is silent."""
    from app.domain.control import model_id

    release = f"  release {report.version}" if report.version else ""
    lines = [f"{report.host} {report.worker}  {model_id(report.runs)}  since {utc(report.since)}{release}"]
    if report.order_refused:
        order = report.order_refused
        lines.append(f"    refused the order {order.key} at offset {order.offset}: {order.reason}")
    if report.refused is not None:
        lines.append(f"    refused {report.refused.model}: {report.refused.reason}")
    for one in report.challengers:
        line = f"    challenger {one.model}  "
        if one.refused:
            lines.append(f"{line}refused: {one.refused}")
            continue
        lines.append(f"{line}{one.scored:,} scored, {one.failed:,} failed, {one.skipped:,} skipped")
        if one.suspended:
            lines.append(f"        suspended: it {one.suspended}")
    if report.canary is not None:
        line, canary = f"    canary {report.canary.model}  ", report.canary
        if canary.refused or canary.stopped:
            lines.append(
                line + (f"refused: {canary.refused}" if canary.refused else f"stopped: it {canary.stopped}")
            )
        else:
            lines.append(f"{line}{canary.decided:,} decided, {canary.alerts:,} alerts")
    return [*lines[:-1], f"{lines[-1]}  (silent)"] if silent else lines


def utc(milliseconds: int) -> str:
    return utc_text(milliseconds, "%Y-%m-%d %H:%M:%S UTC")
