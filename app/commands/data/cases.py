"""``fraudstream cases``: the cases of alerts, for a terminal."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from app.cases.contract import Status
from app.cases.suppression import SuppressionKey
from app.domain.clock import utc_text
from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.postgres.database import Database
    from app.adapters.postgres.queries import AlertRow, Hidden
    from app.cases.case import Case
    from app.replay.rebuild_cases import Rebuilt
    from app.settings import Settings

commands = typer.Typer(help="Cases of alerts: list, show, suppress and rebuild them.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ResultT = TypeVar("ResultT")


@commands.command("list")
def list_cases(
    *,
    status: Annotated[
        Status | None,
        typer.Option(help="Print cases of this status, the newest change first. Default: the queue."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most cases.")] = 50,
    json: Json = False,
) -> None:
    """Print the queue: the cases that wait for an analyst, the most urgent first."""
    import time

    from app.adapters.postgres import queries

    now_ms = time.time_ns() // 1_000_000
    found = _read(
        lambda connection: (
            queries.queue(connection, now_ms, limit)
            if status is None
            else queries.by_status(connection, status, limit)
        )
    )
    _print_cases(found, now_ms, as_json=json)


@commands.command("show")
def show(
    case_id: Annotated[str, typer.Argument(metavar="CASE", help="case_id of the case.")],
    *,
    json: Json = False,
) -> None:
    """Print a case with its alerts and what became known of them."""
    from app.adapters.postgres import queries

    case = _read(lambda connection: queries.one(connection, case_id))
    if case is None:
        raise typer.BadParameter(f"there is no case {case_id}. `fraudstream cases list` shows the cases.")
    alerts = _read(lambda connection: queries.alerts_of(connection, case_id))
    _print_case(case, alerts, as_json=json)


@commands.command("suppress")
def suppress(
    key: Annotated[SuppressionKey, typer.Argument(help="The field of alerts that is compared.")],
    value: Annotated[str, typer.Argument(help="Its value.")],
    *,
    days: Annotated[float, typer.Option(min=0.01, max=90, help="Days until the suppression ends.")],
    reason: Annotated[str, typer.Option(help="Why these alerts need no analyst.")],
    by: Annotated[str, typer.Option("--by", help="Who decided it.")],
) -> None:
    """Hide later alerts with this value from the queue until an expiry; they are counted and stay in the database."""
    import time

    from app.adapters.postgres import actions

    now_ms = time.time_ns() // 1_000_000
    ends_at = now_ms + round(days * DAY_MS)
    one = _read(
        lambda connection: actions.suppress(
            connection, key, value, reason=reason, created_by=by, starts_at=now_ms, ends_at=ends_at
        )
    )
    printing.line(f"suppression {one.suppression_id}: {key} {value} until {_time(ends_at)}")
    printing.hint("fraudstream cases hidden")


@commands.command("hidden")
def hidden(*, json: Json = False) -> None:
    """Print every suppression, how many alerts it hid, and how many of them were later labelled fraud."""
    from app.adapters.postgres import queries

    _print_hidden(_read(queries.hidden), as_json=json)


@commands.command("rebuild")
def rebuild(
    *,
    without_changes: Annotated[
        bool,
        typer.Option(
            "--without-changes",
            help="Ignore the topic of changes: every case is opened anew from its alerts.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fill an empty schema from the topics: cases from their changes, then alerts, labels and answers.

    Stop the workers of the role cases first; one that starts afterwards continues where the rebuild ended.
    """
    import msgspec

    from app.commands.shared.history import acceptance
    from app.replay.rebuild_cases import CaseRebuild

    async def work(settings: "Settings", database: "Database") -> "Rebuilt":
        return await CaseRebuild(settings, database, acceptance(settings)).run(
            with_changes=not without_changes
        )

    done = _with_database(work)
    if json:
        printing.json_text(msgspec.json.encode(done).decode())
        return
    printing.line(
        f"{done.changes} changes of cases, {done.alerts} alerts read; {done.opened} cases opened that no change knew; "
        f"{done.rejected} records left out, which are dead letters."
    )
    printing.line("A rebuild cannot know:")
    printing.lines(f"- {what}" for what in done.unknown)


def _read(work: Callable[[Any], Awaitable[ResultT]]) -> ResultT:
    """The result of a transaction, for which a missing database is an error at once."""

    async def one(_: "Settings", database: "Database") -> ResultT:
        return await database.run(work)

    return _with_database(one)


def _with_database(work: Callable[["Settings", "Database"], Awaitable[ResultT]]) -> ResultT:
    import asyncio
    import time

    from app.adapters.postgres.extra import require_psycopg
    from app.settings import Settings

    require_psycopg("fraudstream cases")
    from app.adapters.postgres.database import Database

    async def run() -> ResultT:
        settings = Settings.from_env()
        database = Database(settings.cases, time.monotonic)
        try:
            return await work(settings, database)
        finally:
            await database.close()

    return asyncio.run(run())


def _print_cases(found: Sequence["Case"], now_ms: int, *, as_json: bool) -> None:
    if as_json:
        _print_json(found)
        return
    head = ("CASE", "CUSTOMER", "STATUS", "ALERTS", "LOSS", "OPENED", "DUE", "ASSIGNEE")
    printing.table(head, [_case_row(case, now_ms) for case in found])


def _print_case(case: "Case", alerts: Sequence["AlertRow"], *, as_json: bool) -> None:
    import msgspec

    fields = msgspec.to_builtins(case)
    if as_json:
        _print_json([fields | {"alerts": [alert._asdict() for alert in alerts]}])
        return
    printing.lines(f"{name}: {value}" for name, value in fields.items() if value is not None)
    head = ("ALERT", "TIME", "SCORE", "AMOUNT", "TERMINAL", "OUTCOME", "KNOWN")
    printing.table(head, map(_alert_row, alerts))


def _print_hidden(found: Sequence["Hidden"], *, as_json: bool) -> None:
    if as_json:
        _print_json([one._asdict() for one in found])
        return
    head = ("NUMBER", "KEY", "VALUE", "ENDS", "ALERTS", "FRAUD", "BY", "REASON")
    printing.table(head, map(_hidden_row, found))


def _case_row(case: "Case", now_ms: int) -> tuple[str, ...]:
    from app.cases.case import is_overdue

    overdue = " overdue" if is_overdue(case, now_ms) else ""
    return (
        *(case.case_id, case.customer_id, str(case.status), str(case.alert_count)),
        *(f"{case.expected_loss / 100:,.2f}", _time(case.opened_at), f"{_time(case.due_at)}{overdue}"),
        case.assignee or "-",
    )


def _alert_row(alert: "AlertRow") -> tuple[str, ...]:
    from app.domain.money import display

    known = {True: "fraud", False: "genuine", None: ""}
    said = {True: "customer: fraud", False: "customer: genuine", None: ""}
    facts = ", ".join(filter(None, (known[alert.is_fraud], said[alert.customer_says_fraud]))) or "-"
    return (
        *(alert.alert_id, _time(alert.event_time), f"{alert.score:.4f}"),
        *(display(alert.amount_minor, alert.currency), alert.terminal_id, alert.outcome, facts),
    )


def _hidden_row(one: "Hidden") -> tuple[str, ...]:
    numbers = (str(one.alerts), str(one.fraud))
    return (
        str(one.suppression_id),
        one.key,
        one.value,
        _time(one.ends_at),
        *numbers,
        one.created_by,
        one.reason,
    )


def _print_json(found: Iterable[Any]) -> None:
    import msgspec

    for one in found:
        printing.json_text(msgspec.json.encode(one).decode())


def _time(time_ms: int) -> str:
    return utc_text(time_ms, "%Y-%m-%d %H:%M:%S")
