"""``fraudstream model promote|rollback|release|status``: which model decides, on every worker at once."""

import json as json_format
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.adapters.control_log import ControlLog
    from app.domain.control import ModelOrder, WorkerReport
    from app.settings import Settings
    from app.streaming.model_orders import Answers

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for the workers' answers.")]


def promote(
    model: Annotated[str, typer.Argument(metavar="NAME/VERSION", help="The bundle that is to decide.")],
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Order every worker to decide by a bundle. It is checked here first, and by each worker beside the one it runs.

    Exit code 1 when a worker refuses or does not answer in time: it goes on with the model it has.
    """
    from app.streaming.model_orders import promotion

    settings, log = _control()
    _give(settings, promotion(settings, model, log), wait, json=json)


def rollback(wait: Wait = 30.0, json: Json = False) -> None:
    """Order the model that decided before the last order. Said twice, it goes back and forth."""
    from app.streaming.model_orders import rollback as order_back

    settings, log = _control()
    _give(settings, order_back(log), wait, json=json)


def release(wait: Wait = 30.0, json: Json = False) -> None:
    """Withdraw the order: each worker decides by the champion of its own aliases.toml again."""
    settings, _ = _control()
    _give(settings, None, wait, json=json)


def status(json: Json = False) -> None:
    """Print the order in force and, for each worker, what it runs since when, or why it refused."""
    import msgspec

    from app.domain.control import told
    from app.streaming.model_orders import living

    _, log = _control()
    alive = {report.worker for report in living(log)}
    reports = sorted(log.reports.values(), key=lambda report: (report.host, report.worker))
    if json:
        workers = [msgspec.to_builtins(report) | {"silent": report.worker not in alive} for report in reports]
        typer.echo(json_format.dumps({"order": msgspec.to_builtins(log.order), "workers": workers}, indent=2))
        return
    if log.order is None:
        typer.echo("no order: each worker decides by its aliases.toml")
    else:
        typer.echo(f"ordered  {told(log.order.model)}  {_time(log.order.ordered_at)}")
    for report in reports:
        typer.echo(_line(report) + ("" if report.worker in alive else "  (silent)"))


def _give(settings: "Settings", order: "ModelOrder | None", wait: float, *, json: bool) -> None:
    import asyncio

    from app.streaming.model_orders import give

    answers = asyncio.run(give(settings, order, wait))
    if json:
        typer.echo(json_format.dumps(_facts(order, answers), indent=2))
    else:
        _tell(order, answers)
    if not answers.unanimous:
        raise typer.Exit(1)


def _facts(order: "ModelOrder | None", answers: "Answers") -> dict[str, Any]:
    import msgspec

    return {
        "order": msgspec.to_builtins(order),
        "workers": msgspec.to_builtins(answers.reports),
        "silent": [report.worker for report in answers.silent],
    }


def _tell(order: "ModelOrder | None", answers: "Answers") -> None:
    from app.domain.control import told

    typer.echo(f"ordered  {told(order.model)}" if order else "the order is withdrawn")
    for report in answers.reports:
        typer.echo(_line(report))
    for report in answers.silent:
        typer.echo(f"{report.host} {report.worker}  did not answer; it may still follow")


def _line(report: "WorkerReport") -> str:
    from app.domain.control import told

    line = f"{report.host} {report.worker}  {told(report.runs)}  since {_time(report.since)}"
    if report.refused is not None:
        line += f"\n    refused {report.refused.model}: {report.refused.reason}"
    return line


def _control() -> "tuple[Settings, ControlLog]":
    import asyncio

    from app.settings import Settings
    from app.streaming.model_control import control_log

    settings = Settings.from_env()
    return settings, asyncio.run(control_log(settings))


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
