"""The command ``fraudstream``: one sub-command per module of app/commands, imported as late as possible."""

import sys

import typer

from app.commands import (
    batch,
    cdc,
    crm,
    demo,
    dlq,
    doctor,
    drift,
    evaluate,
    explain,
    labels,
    models,
    monitor,
    replay,
    report,
    schemas,
    settings,
    stack,
    state,
    tail,
    topics,
    traffic,
    train,
    worker,
)
from app.errors import FraudstreamError

app = typer.Typer(
    name="fraudstream",
    help="Real-time fraud scoring on Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("settings")(settings.show)
app.add_typer(stack.commands, name="stack")
app.add_typer(cdc.commands, name="cdc")
app.add_typer(topics.commands, name="topics")
app.add_typer(schemas.commands, name="schemas")
app.command("simulate")(traffic.simulate)
app.command("produce")(traffic.produce)
app.add_typer(crm.commands, name="crm")
app.add_typer(labels.commands, name="labels")
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(models.commands, name="model")
app.command("worker")(worker.worker)
app.add_typer(tail.alerts, name="alerts")
app.add_typer(tail.decisions, name="decisions")
app.add_typer(dlq.commands, name="dlq")
app.command("monitor")(monitor.monitor)
app.command("doctor")(doctor.doctor)
app.command("explain")(explain.explain)
app.command("report")(report.report)
app.command("replay")(replay.replay)
app.add_typer(state.commands, name="state")
app.command("demo")(demo.demo)
app.command("features")(batch.features)
app.command("score")(batch.score)
app.command("drift")(drift.drift)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 usage or configuration."""
    try:
        app()
    except FraudstreamError as error:
        typer.secho(f"{type(error).__name__}: {error}", fg=typer.colors.RED, err=True)
        sys.exit(exit_code(error))


def exit_code(error: FraudstreamError) -> int:
    from app.errors import ConfigurationError

    return 2 if isinstance(error, ConfigurationError) else 1
