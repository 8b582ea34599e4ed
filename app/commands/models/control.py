"""Shared by the commands that write to the control topic."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from app.domain.clock import utc_text
from app.rendering import printing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from app.adapters.kafka.records import OutRecord
    from app.adapters.topic_records.control_log import ControlLog
    from app.domain.control import WorkerReport
    from app.settings import Settings
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Key = Annotated[Path | None, typer.Option(help="PEM file of the Ed25519 private key that signs the order.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the order (`fraudstream control history`).")]
Author = Annotated[str, typer.Option(help="Who gives the order. Default: the user of this session.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the answers of the workers.")]


class Given(NamedTuple):
    """Who gives an order, and why."""

    reason: str
    author: str = ""


class Control(NamedTuple):
    """What an order is made of and sent with."""

    settings: "Settings"
    log: "ControlLog"
    """The current content of the control topics."""
    key: "Ed25519PrivateKey | None"
    why: Given


def require_reason(why: Given) -> None:
    """Raise typer.BadParameter without a reason."""
    if not why.reason.strip():
        raise typer.BadParameter("give the reason: --reason TEXT")


def control(why: Given, key_file: Path | None = None) -> Control:
    """Read the settings, the key that signs and the control topics. Raises typer.BadParameter without a reason."""
    require_reason(why)
    import asyncio

    from app.adapters.topic_records.control_reader import read_control_log
    from app.adapters.topic_records.order_sending import signing_key
    from app.settings import Settings

    settings = Settings.from_env()
    key = signing_key(settings, key_file)
    return Control(settings, asyncio.run(read_control_log(settings, key)), key, why)


def send_order(
    given: Control,
    records: "Sequence[OutRecord]",
    wait: float,
    refused: "Callable[[WorkerReport], bool]",
    summary: str,
    *,
    json: bool,
) -> None:
    """Send an order to the workers, keep it in the history and print the answers. Raises typer.Exit unless every worker follows.

    The last of the records is the order; those before it follow from it.
    """
    import asyncio

    import msgspec

    from app.streaming.control import client as control_client

    # First, since workers answer with the offset of the last record that they follow.
    kept = [_past_record(records[-1], given.why), *records]
    answers = asyncio.run(control_client.send_and_await_answers(given.settings, kept, wait, given.key))
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


def _past_record(record: "OutRecord", why: Given) -> "OutRecord":
    import os
    import secrets
    import time

    import msgspec

    from app.adapters.topic_records.order_history import past_record
    from app.domain.orders.past_order import PastOrder
    from app.operations.skip_records import operator

    order = PastOrder(
        key=(record.key or b"").decode(),
        order=msgspec.json.decode(record.value or b"null"),
        ordered_by=why.author.strip() or operator(os.environ),
        reason=why.reason.strip(),
        ordered_at=time.time_ns() // 1_000_000,
    )
    return past_record(order, secrets.token_hex(4))


def report_lines(report: "WorkerReport", *, silent: bool = False) -> list[str]:
    """One line for the champion, then what the worker runs beside it or refuses; the last one states that it is silent."""
    from app.domain.control import model_id

    release = f"  release {report.version}" if report.version else ""
    lines = [f"{report.host} {report.worker}  {model_id(report.runs)}  since {utc(report.since)}{release}"]
    if report.order_refused:
        order = report.order_refused
        lines.append(f"    refused the order {order.key} at offset {order.offset}: {order.reason}")
    if report.refused is not None:
        lines.append(f"    refused {report.refused.model}: {report.refused.reason}")
    lines += [*_policy_lines(report), *_challenger_lines(report), *_canary_lines(report)]
    return [*lines[:-1], f"{lines[-1]}  (silent)"] if silent else lines


def _policy_lines(report: "WorkerReport") -> "Iterator[str]":
    from app.domain.orders.policy_order import policy_id

    if report.policy and (report.policy.runs or report.policy.refused):
        refused = f"  refused another: {report.policy.refused}" if report.policy.refused else ""
        yield f"    policy {policy_id(report.policy.runs)}{refused}"
        for rule in report.policy.demoted:
            yield f"        demoted to shadow: {rule}"


def _challenger_lines(report: "WorkerReport") -> "Iterator[str]":
    for one in report.challengers:
        line = f"    challenger {one.model}  "
        if one.refused:
            yield f"{line}refused: {one.refused}"
            continue
        yield f"{line}{one.scored:,} scored, {one.failed:,} failed, {one.skipped:,} skipped"
        if one.suspended:
            yield f"        suspended: it {one.suspended}"


def _canary_lines(report: "WorkerReport") -> "Iterator[str]":
    if (canary := report.canary) is None:
        return
    line = f"    canary {canary.model}  "
    if canary.refused or canary.stopped:
        yield line + (f"refused: {canary.refused}" if canary.refused else f"stopped: it {canary.stopped}")
    else:
        yield f"{line}{canary.decided:,} decided, {canary.alerts:,} alerts"


def utc(milliseconds: int) -> str:
    return utc_text(milliseconds, "%Y-%m-%d %H:%M:%S UTC")
