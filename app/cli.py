"""The command ``fraudstream``: one module of app/commands per sub-command, imported when it is called.

What ``--help`` lists is data here, so that it answers without importing any of them. A test compares it with their own help.
"""

import sys
from importlib import import_module
from types import TracebackType
from typing import Annotated, Any, NamedTuple

import typer
import typer.core
import typer.main

from app.errors import ConfigurationError, FraudstreamError


class Listed(NamedTuple):
    """A command or a group of commands."""

    panel: str
    """The heading under which ``--help`` shows it."""
    name: str
    target: str
    """Module of app.commands, and the function or the typer application in it."""
    help: str
    """The first paragraph of its help."""


RUN, MODELS, INVESTIGATE = "Run", "Models", "Investigate"
OFFLINE, OPERATE = "Offline: files, without Kafka", "Operate"

LISTED = (
    Listed(
        RUN,
        "demo",
        "operate.demo.demo",
        "Start Kafka, Redis and workers on this machine, send traffic with fraud and show the alerts.",
    ),
    Listed(
        RUN, "stack", "operate.stack.commands", "Run Kafka and Redis on this machine, without containers."
    ),
    Listed(
        RUN,
        "worker",
        "operate.worker.worker",
        "Run a worker until SIGTERM or Ctrl-C; settings, topics and model are checked first.",
    ),
    Listed(
        RUN,
        "simulate",
        "data.traffic.simulate",
        "Simulate labelled traffic with known fraud patterns, into a file or onto a topic (without labels).",
    ),
    Listed(
        RUN,
        "produce",
        "data.traffic.produce",
        "Send the transactions in FILE to the transactions topic, in order for each customer.",
    ),
    Listed(RUN, "labels", "data.labels.commands", "Send fraud labels (chargebacks) to their topic."),
    Listed(
        MODELS,
        "catalog",
        "models.catalog.commands",
        "Check, print and compare catalogs of features.",
    ),
    Listed(
        MODELS,
        "policy",
        "models.policies.commands",
        "Check, print, compare, store and order policies: rules, score bands and lists.",
    ),
    Listed(
        MODELS,
        "model",
        "models.models.commands",
        "List, verify, sign, compare, promote and roll back model bundles.",
    ),
    Listed(
        MODELS,
        "train",
        "models.train.train",
        "Train a model on DATA, test it on the newest days and write a bundle; promotes nothing.",
    ),
    Listed(
        MODELS,
        "evaluate",
        "models.evaluate.evaluate",
        "Measure a model on labelled DATA: ranking, outcomes, money and fraud patterns.",
    ),
    Listed(
        MODELS,
        "drift",
        "models.drift.drift",
        "Print the population stability index of the score and of every feature, largest first.",
    ),
    Listed(
        MODELS,
        "lists",
        "models.lists.commands",
        "Add, remove, import and show entries of lists of rules, and who changed them, why and when.",
    ),
    Listed(INVESTIGATE, "alerts", "data.tail.alerts", "Print alerts: decisions to review or decline."),
    Listed(
        INVESTIGATE,
        "decisions",
        "data.tail.decisions",
        "Print decisions: the audit log of every scored transaction.",
    ),
    Listed(
        INVESTIGATE,
        "explain",
        "audit.explain.explain",
        "Recompute an alert from the transactions log, compare it bit for bit, and print what led to it.",
    ),
    Listed(
        INVESTIGATE,
        "report",
        "audit.report.report",
        "Print the report of DAY from the figures that the analytics worker maintains.",
    ),
    Listed(
        INVESTIGATE,
        "crm",
        "data.crm.commands",
        "Questions to customers about suspicious transactions, and their answers.",
    ),
    Listed(
        INVESTIGATE, "cases", "data.cases.commands", "Cases of alerts: list, show, suppress and rebuild them."
    ),
    Listed(
        INVESTIGATE,
        "dlq",
        "data.dlq.commands",
        "List, print and resend dead letters: records that cannot be scored.",
    ),
    Listed(
        INVESTIGATE,
        "replay",
        "audit.replay.replay",
        "Recompute the decisions of a range of the log and compare them with the decisions topic.",
    ),
    Listed(INVESTIGATE, "state", "audit.state.commands", "Print, verify and rebuild customer profiles."),
    Listed(
        OFFLINE,
        "features",
        "models.batch.features",
        "Compute all features of the transactions in FILE, exactly as a worker does.",
    ),
    Listed(
        OFFLINE, "score", "models.batch.score", "Score the transactions in FILE, exactly as a worker does."
    ),
    Listed(
        OPERATE,
        "doctor",
        "operate.doctor.doctor",
        "Check the whole installation and print what to do about each problem.",
    ),
    Listed(
        OPERATE,
        "monitor",
        "operate.monitor.monitor",
        "Show the Kafka cluster: brokers, disks, controller, under-replicated partitions, and the lag of consumer groups.",
    ),
    Listed(
        OPERATE,
        "settings",
        "operate.settings.show",
        "Print every setting with its current value, and its default where it differs.",
    ),
    Listed(OPERATE, "topics", "data.topics.commands", "Create, check and list the topics."),
    Listed(OPERATE, "control", "models.history.commands", "Print the orders that were given to the workers."),
    Listed(OPERATE, "acl", "operate.acl.commands", "Print the rights that each role needs on the brokers."),
    Listed(
        OPERATE,
        "schemas",
        "data.schemas.commands",
        "Register, check and print the Avro and Protobuf schemas of the events.",
    ),
    Listed(OPERATE, "cdc", "data.cdc.commands", "Read transactions from a database table through Debezium."),
    Listed(
        OPERATE,
        "files",
        "operate.files.commands",
        "List and copy the files that come with fraudstream: models, deploy, schemas.",
    ),
)
"""In the order of ``--help``, by panel."""


class Commands(dict[str, Any]):
    """What ``--help`` lists of each command, by name; ``commands[name]`` is the command itself, imported only then."""

    def __getitem__(self, name: str) -> Any:
        return load(name) if name in self else super().__getitem__(name)


class LazyGroup(typer.core.TyperGroup):
    """Lists LISTED; imports the one command that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands(
            {
                listed.name: typer.core.TyperCommand(
                    listed.name, help=listed.help, rich_help_panel=listed.panel
                )
                for listed in LISTED
            }
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the first of ``args`` names, imported, and the rest of them."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and self.commands[name or ""], rest


app = typer.Typer(
    name="fraudstream",
    cls=LazyGroup,
    help="Real-time fraud scoring on Kafka.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from app.rendering import printing
    from app.version import VERSION

    printing.line(f"fraudstream {VERSION}")
    raise typer.Exit


@app.callback()
def _group(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the release."),
    ] = False,
) -> None:
    """Options before the command. Typer makes a group of an application only when there is a callback."""


def load(name: str) -> Any:
    """The command or group of this name, with its options."""
    module, _, attribute = next(listed.target for listed in LISTED if listed.name == name).rpartition(".")
    found = getattr(import_module(f"app.commands.{module}"), attribute)
    parent = typer.Typer()
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name)(found)
    return typer.main.get_group(parent).commands[name]


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 usage or configuration."""
    sys.excepthook = _print_fault
    try:
        app()
    except FraudstreamError as error:
        from app.domain.words import named
        from app.rendering import printing

        printing.error(f"{named(error)}: {error}")
        sys.exit(exit_code(error))


def _print_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a fault of the program itself. Its message may hold what a record or a server has sent."""
    from traceback import format_exception

    from app.rendering import printing

    printing.error("".join(format_exception(kind, error, trace)).rstrip())


def exit_code(error: FraudstreamError) -> int:
    return 2 if isinstance(error, ConfigurationError) else 1
