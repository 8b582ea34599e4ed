"""Files in deploy/ are well-formed, follow their schemas, and name existing settings and topics."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.adapters.column_mapping import TABLE_SETTING, load_mapping
from app.adapters.kafka.connect_rest import load_connector
from app.settings import Settings, setting_names
from tests.support.paths import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
PROMTOOL = shutil.which("promtool")
CONNECTORS = sorted((DEPLOY / "connect").glob("transactions*.json"))
REFERENCE = DEPLOY / "connect" / "reference.json"
FILES = sorted(DEPLOY.rglob("*.yaml"))

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="no promtool on the PATH: apt-get install prometheus"
)


def run(*words: str) -> str:
    """Run a command; return its output if it fails, otherwise an empty string."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=DEPLOY, timeout=120)  # noqa: S603  # ours
    return "" if done.returncode == 0 else done.stdout + done.stderr


def module(name: str, *words: str) -> str:
    return run(sys.executable, "-m", name, *words)


def test_every_file_passes_yamllint() -> None:
    assert module("yamllint", "--strict", "-c", ".yamllint.yaml", ".") == ""


def test_the_compose_file_follows_its_schema() -> None:
    assert module("check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml") == ""


def test_every_named_setting_exists() -> None:
    known = {name for name, _ in setting_names()}
    named = {
        name
        for file in FILES
        for name in re.findall(r"FRAUDSTREAM_[A-Z0-9_]+", file.read_text(encoding="utf-8"))
    }

    assert named
    assert named <= known


@pytest.mark.parametrize("file", CONNECTORS, ids=lambda file: file.name)
def test_connectors_key_their_records_as_direct_producers_do(file: Path) -> None:
    config = load_connector(file).config

    assert config["message.key.columns"] == "public.transactions:customer_id"
    assert config["transforms.key.type"].endswith("ExtractField$Key")
    assert config["key.converter"].endswith("StringConverter")
    assert config["transforms.topic.replacement"] == Settings().topics.transactions


def test_connectors_have_distinct_slots_and_publications() -> None:
    files = [*CONNECTORS, REFERENCE]
    for name in ("slot.name", "publication.name", "topic.prefix"):
        assert len({load_connector(file).config[name] for file in files}) == len(files)


def test_reference_rows_are_written_to_the_topics_that_are_read() -> None:
    config = load_connector(REFERENCE).config
    tables = [table.removeprefix("public.") for table in config["table.include.list"].split(",")]
    topics = [config["transforms.topic.replacement"].replace("$1", table) for table in tables]

    assert [Settings().cdc.customers_topic, Settings().cdc.terminals_topic] == topics


def test_no_connector_holds_a_secret() -> None:
    for file in [*CONNECTORS, REFERENCE]:
        assert load_connector(file).config["database.password"] == "${env:BANK_PASSWORD}"


def test_the_mapping_of_the_example_table_is_valid() -> None:
    mapping = load_mapping(str(DEPLOY / "connect" / "transactions.toml"), TABLE_SETTING)

    assert mapping.column("amount_minor") == "amount"


@needs_promtool
def test_prometheus_accepts_rules_and_configurations() -> None:
    files = ["prometheus/prometheus.yaml", "prometheus/prometheus.compose.yaml"]

    assert run(str(PROMTOOL), "check", "rules", "prometheus/rules.yaml") == ""
    assert run(str(PROMTOOL), "check", "config", *files) == ""


@needs_promtool
def test_rules_fire_when_they_should_and_not_before() -> None:
    assert run(str(PROMTOOL), "test", "rules", "prometheus/rules_test.yaml") == ""
