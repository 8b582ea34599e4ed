"""``fraudstream policy store|promote|rollback|release``: choose the policy of all workers at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.models.control import Author, Control, Given, Json, Key, Reason, Wait, control, send_order
from app.rendering import printing

if TYPE_CHECKING:
    from app.domain.control import WorkerReport
    from app.domain.orders.policy_order import PolicyOrder

Policy = Annotated[
    str,
    typer.Argument(
        metavar="NAME/VERSION", help="The policy that decides from now on; `none` for the model alone."
    ),
]


def store(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The policy, a TOML file.")],
    key: Annotated[
        Path | None, typer.Option(help="PEM file of the Ed25519 private key that signs the policy.")
    ] = None,
) -> None:
    """Check a policy and store it under FRAUDSTREAM_POLICY_DIR as NAME/VERSION, which never changes.

    Name and version are those in the file. Copy the folder to every worker,
    then order it with `fraudstream policy promote`.
    """
    from app.adapters.policies import stored
    from app.settings import Settings
    from app.streaming.control.policy_choice import checked_policy, policy_catalog

    settings = Settings.from_env()
    content = stored.content_of(file)
    policy = checked_policy(content, str(file), policy_catalog(settings))
    path = stored.store(Path(settings.policy.dir), policy.name, policy.version, content, key)
    reference = stored.read(Path(settings.policy.dir), f"{policy.name}/{policy.version}").reference
    printing.line(f"{path}  {reference.digest}")


def promote(
    policy: Policy,
    *,
    reason: Reason,
    author: Author = "",
    key: Key = None,
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Let a policy decide on every worker.

    It is checked here first, with its own tests, then by each worker while its
    present policy still decides. Exit code 1 when a worker refuses or does not
    answer in time, and keeps its policy.
    """
    from app.streaming.control.policy_client import promotion

    given = control(Given(reason, author), key)
    _send(given, promotion(given.settings, policy, given.log), wait, json=json)


def rollback(
    *, reason: Reason, author: Author = "", key: Key = None, wait: Wait = 30.0, json: Json = False
) -> None:
    """Let the previous policy decide again on every worker. A second rollback undoes the first."""
    from app.streaming.control.policy_client import rollback as order

    given = control(Given(reason, author), key)
    _send(given, order(given.log), wait, json=json)


def release(
    *, reason: Reason, author: Author = "", key: Key = None, wait: Wait = 30.0, json: Json = False
) -> None:
    """Withdraw the order: each worker uses the policy of FRAUDSTREAM_POLICY_DEFAULT again."""
    from app.adapters.topic_records.control_log import withdrawal_record
    from app.domain.orders.policy_order import POLICY_KEY

    given = control(Given(reason, author), key)
    send_order(given, [withdrawal_record(POLICY_KEY)], wait, _refuses, "the order is withdrawn", json=json)


def _send(given: Control, order: "PolicyOrder", wait: float, *, json: bool) -> None:
    from app.adapters.topic_records.control_log import order_record
    from app.domain.orders.policy_order import policy_id

    send_order(given, [order_record(order)], wait, _refuses, f"policy  {policy_id(order.policy)}", json=json)


def _refuses(report: "WorkerReport") -> bool:
    """Whether the worker refuses the ordered policy; one of an earlier release cannot follow it."""
    return not report.policy or bool(report.policy.refused)
