"""The rights of each role follow the code, and the committed script is what the command prints."""

import argparse
import ast
import json
import shlex
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.errors import ConfigurationError
from app.settings import CdcSettings, Settings, Stream, TopicSettings, WorkerSettings
from app.settings.worker import WorkerRole
from app.streaming.faust_app import build_app
from app.topics import acls
from app.topics.access import ROLES, Right, rights
from tests.support.paths import REPOSITORY

WORK = {"risk": "score_chunk", "entities": "entity_work", "crm": "contact_work", "cases": "case_work"}
"""The module of app/processing that makes the records of a role."""


def test_the_committed_script_is_what_the_command_prints() -> None:
    written = (REPOSITORY / "deploy" / "acls" / acls.FILE).read_text("utf-8")

    assert written == acls.as_commands(Settings(), acls.principals(())), (
        "fraudstream acl print > deploy/acls/acls.sh"
    )


def test_every_role_of_a_worker_and_every_stream_is_covered() -> None:
    assert set(get_args(WorkerRole)) <= set(ROLES)
    assert {stream for role in ROLES.values() for stream in role.writes} == {*Stream}


@pytest.mark.parametrize("role", get_args(WorkerRole))
def test_a_worker_may_read_what_it_subscribes_to_and_no_other_customer_data(
    role: WorkerRole, tmp_path: Path
) -> None:
    settings = Settings(worker=WorkerSettings(role=role, data_dir=str(tmp_path), metrics_port=0))
    subscribed = set(build_app(settings).role_worker.topics)
    of_risk = {settings.topics.worker_reports, settings.topics.lists} if role == "risk" else set()
    about_orders = {settings.topics.control} | of_risk
    changelog = ROLES[role].changelog

    assert readable(role, settings) == subscribed | about_orders | (
        {changelog(settings)} if changelog is not None else set()
    )
    assert Right("group", settings.app_id, "Read") in rights(ROLES[role], settings)


@pytest.mark.parametrize("role", WORK)
def test_a_worker_may_write_what_it_makes_and_nothing_else(role: str) -> None:
    source = (REPOSITORY / "app" / "processing" / f"{WORK[role]}.py").read_text("utf-8")
    made = {
        call.args[0].attr
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "Output"
        and isinstance(call.args[0], ast.Attribute)
    }
    # The changes of cases come from the outbox of the database.
    reports = {"risk": {"WORKER_REPORTS"}, "cases": {"CASES"}}.get(role, set())

    assert {stream.name for stream in ROLES[role].writes} == made | reports


def test_only_those_who_give_orders_may_write_them() -> None:
    """A worker's credentials give no order, and those of a producer read nothing."""
    control = Settings().topics.control
    writers = {role for role in ROLES if Right("topic", control, "Write") in rights(ROLES[role], Settings())}

    assert writers == {"operator", "dead-letters"}
    assert readable("transactions", Settings()) == readable("labels", Settings()) == set()


def test_only_commands_of_lists_may_write_them() -> None:
    lists = Settings().topics.lists
    writers = {role for role in ROLES if Right("topic", lists, "Write") in rights(ROLES[role], Settings())}

    assert writers == {"lists"}


def readable(role: str, settings: Settings) -> set[str]:
    return {
        right.name
        for right in rights(ROLES[role], settings)
        if right.operation == "Read" and right.resource == "topic"
    }


def test_the_rights_follow_the_settings() -> None:
    settings = Settings(
        topics=TopicSettings().with_prefix("bank"),
        worker=WorkerSettings(app_id="scoring"),
        cdc=CdcSettings(customers_topic="our.customers", reference_group="copy"),
    )
    names = {right.name for role in ROLES.values() for right in rights(role, settings)}

    assert {"bank.payments.transactions.v1", "scoring", "our.customers", "copy"} <= names
    assert "scoring-customer-profiles-changelog-" in names
    assert not names & {*TopicSettings().names().values(), "fraudstream-risk"}


@pytest.mark.parametrize("seed", range(3))
def test_the_script_and_the_json_grant_the_same(seed: int) -> None:
    named = acls.principals([f"risk=User:CN=risk, O=bank '{seed}'", "crm=Group:x"])
    listed = msgspec.json.decode(acls.as_json(Settings(), named), type=list[acls.Acl])

    granted = {(one.principal, one.resource, one.name, one.pattern, one.operation) for one in listed}
    assert granted_by(acls.as_commands(Settings(), named)) == granted
    assert len(granted) == len(listed)


def granted_by(script: str) -> set[tuple[str, str, str, str, str]]:
    """What kafka-acls.sh makes of the lines of a script."""
    tool = argparse.ArgumentParser()
    for option in ("--bootstrap-server", "--command-config", "--allow-principal"):
        tool.add_argument(option, required=True)
    tool.add_argument("--resource-pattern-type", default="literal")
    for option in ("--operation", "--topic", "--group", "--transactional-id"):
        tool.add_argument(option, action="append", default=[])
    tool.add_argument("--cluster", action="append_const", const="kafka-cluster", default=[])
    tool.add_argument("--add", action="store_true", required=True)
    lines = [shlex.split(line)[1:] for line in script.splitlines() if line.startswith("kafka-acls.sh")]
    return {
        (given.allow_principal, resource, name, given.resource_pattern_type, operation)
        for given in map(tool.parse_args, lines)
        for resource in ("topic", "group", "transactional-id", "cluster")
        for name in getattr(given, resource.replace("-", "_"))
        for operation in given.operation
    }


def test_roles_and_principals_can_be_chosen() -> None:
    ran = CliRunner().invoke(
        app,
        ["acl", "print", "--role", "labels", "--principal", "labels=User:CN=core", "--format", "json"],
    )

    assert [(one["principal"], one["operation"]) for one in json.loads(ran.stdout)] == [
        ("User:CN=core", "Write")
    ]


@pytest.mark.parametrize("word", ["risk", "risk=", "risk=me", "nobody=User:x"])
def test_an_unusable_principal_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="ROLE=TYPE:NAME"):
        acls.principals([word])


def test_an_unknown_role_is_refused() -> None:
    assert CliRunner().invoke(app, ["acl", "print", "--role", "nobody"]).exit_code == 2
