"""``fraudstream model promote|rollback|release|challenge|status``: choose the models of all workers at once."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.models.control import (
    Author,
    Given,
    Json,
    Key,
    Reason,
    Wait,
    control,
    report_lines,
    send_order,
    utc,
)
from app.commands.models.gate import DAYS, Budget, Days, Mapping, Margin, Terms, Weeks, require_passed
from app.commands.shared.history_options import AsArrived, Sort
from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.topic_records.control_log import ControlLog

Model = Annotated[str, typer.Argument(metavar="NAME/VERSION", help="The bundle that becomes the champion.")]


def promote(
    model: Model,
    gate: Annotated[
        Path | None,
        typer.Option(
            help="Labelled history: promote only if `fraudstream model gate` passes the bundle on it."
        ),
    ] = None,
    mapping: Mapping = None,
    *,
    gate_topics: Annotated[
        bool, typer.Option("--gate-topics", help="As --gate, on the transactions and labels topics.")
    ] = False,
    days: Days = DAYS,
    weeks: Weeks = 4,
    budget: Budget = 100,
    margin: Margin = 0.01,
    sort: Sort = False,
    as_arrived: AsArrived = False,
    reason: Reason,
    author: Author = "",
    key: Key = None,
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Make a bundle the champion on every worker.

    The bundle is checked here first, then by each worker while its present
    champion still scores. A running canary ends. Exit code 1 when the gate
    refuses, and nothing is ordered; or when a worker refuses or does not answer
    in time, and keeps its champion.
    """
    from app.domain.control import model_id
    from app.streaming.control.client import champion_records, promotion, refuses_champion

    if gate is not None and gate_topics:
        raise typer.BadParameter("Give --gate or --gate-topics, not both.")
    given = control(Given(reason, author), key)
    order = promotion(given.settings, model, given.log)
    if gate is not None or gate_topics:
        against = "" if order.previous is None else model_id(order.previous)
        terms = Terms(gate, mapping, weeks, margin, budget, days, sort=sort, as_arrived=as_arrived)
        require_passed(given.settings, model, against, terms, json=json)
    send_order(
        given,
        champion_records(order),
        wait,
        refuses_champion,
        f"ordered  {model_id(order.model)}",
        json=json,
    )


def rollback(
    *, reason: Reason, author: Author = "", key: Key = None, wait: Wait = 30.0, json: Json = False
) -> None:
    """Make the previous champion the champion again on every worker.

    A second rollback undoes the first. A running canary ends.
    """
    from app.domain.control import model_id
    from app.streaming.control import client as control_client

    given = control(Given(reason, author), key)
    order = control_client.rollback(given.log)
    records = control_client.champion_records(order)
    send_order(
        given,
        records,
        wait,
        control_client.refuses_champion,
        f"ordered  {model_id(order.model)}",
        json=json,
    )


def release(
    *, reason: Reason, author: Author = "", key: Key = None, wait: Wait = 30.0, json: Json = False
) -> None:
    """Withdraw the order: each worker uses the champion of its own aliases.toml again."""
    from app.adapters.topic_records.control_log import withdrawal_record
    from app.domain.control import CHAMPION_KEY
    from app.streaming.control.client import refuses_champion

    given = control(Given(reason, author), key)
    send_order(
        given,
        [withdrawal_record(CHAMPION_KEY)],
        wait,
        refuses_champion,
        "the order is withdrawn",
        json=json,
    )


def challenge(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME/VERSION]...", help="The complete list of challengers."),
    ] = None,
    none: Annotated[
        bool, typer.Option("--none", help="Score no challengers, even if aliases.toml names some.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Use those of each worker's aliases.toml.")
    ] = False,
    *,
    reason: Reason,
    author: Author = "",
    key: Key = None,
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Score bundles in shadow on every worker; the champion still decides.

    The list replaces the one before. Exit code 1 when a worker refuses a bundle
    or does not answer in time.
    """
    from app.adapters.topic_records.control_log import order_record, withdrawal_record
    from app.domain.control import CHALLENGERS_KEY
    from app.streaming.control import client as control_client

    if (bool(models), none, release).count(True) != 1:
        raise typer.BadParameter("Give challengers, --none or --release.")
    given = control(Given(reason, author), key)
    if release:
        record, summary = withdrawal_record(CHALLENGERS_KEY), "the order is withdrawn"
    else:
        record = order_record(control_client.challenge(given.settings, models or []))
        summary = f"challengers  {', '.join(models or ['none'])}"
    send_order(given, [record], wait, control_client.refuses_challenger, summary, json=json)


def status(json: Json = False) -> None:
    """Print the orders in force and the models of each worker, with reasons where one was refused."""
    import asyncio

    import msgspec

    from app.adapters.topic_records.control_reader import read_control_log
    from app.settings import Settings
    from app.streaming.control.client import recent_reports

    log = asyncio.run(read_control_log(Settings.from_env()))
    alive = {report.worker for report in recent_reports(log)}
    reports = sorted(log.reports.values(), key=lambda report: (report.host, report.worker))
    if json:
        workers = [msgspec.to_builtins(report) | {"silent": report.worker not in alive} for report in reports]
        printing.json_text(json_format.dumps(_orders(log) | {"workers": workers}, indent=2))
        return
    _print_orders(log)
    for report in reports:
        printing.lines(report_lines(report, silent=report.worker not in alive))


def _orders(log: "ControlLog") -> dict[str, Any]:
    import msgspec

    champion, challengers, canary, policy, _ = log.orders
    return {
        "order": msgspec.to_builtins(champion),
        "challengers": msgspec.to_builtins(challengers),
        "canary": msgspec.to_builtins(canary),
        "policy": msgspec.to_builtins(policy),
    }


def _print_orders(log: "ControlLog") -> None:
    from app.domain.control import model_id
    from app.domain.orders.policy_order import policy_id

    champion, challengers, canary, policy, _ = log.orders
    if champion is None:
        printing.line("no order: each worker decides by its aliases.toml")
    else:
        printing.line(f"ordered  {model_id(champion.model)}  {utc(champion.ordered_at)}")
    if challengers is not None:
        named = ", ".join(map(model_id, challengers.models)) or "none"
        printing.line(f"challengers  {named}  {utc(challengers.ordered_at)}")
    if canary is not None:
        printing.line(
            f"canary  {model_id(canary.model)} for {canary.share:.2%} of the customers  {utc(canary.ordered_at)}"
        )
        if canary.stopped is not None:
            stop = canary.stopped
            printing.line(f"    stopped by {stop.worker} {utc(stop.stopped_at)}: it {stop.reason}")
    if policy is not None:
        printing.line(f"policy  {policy_id(policy.policy)}  {utc(policy.ordered_at)}")
