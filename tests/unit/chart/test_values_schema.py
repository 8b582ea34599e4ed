"""The values of the chart: the schema follows the settings, is strict, and accepts the committed examples."""

import copy
import json
from collections.abc import Iterator
from functools import reduce
from typing import Any, get_args

import pytest

from app.settings import WorkerRole, setting_names
from app.topics.access import ROLES
from app.version import VERSION
from tests.support.chart.objects import Object, validator, yaml
from tests.support.chart.settings_schema import SCHEMA, SET_BY_THE_CHART, regenerated
from tests.support.chart.tools import CHART

EXAMPLES = ("dev", "production")
STRICT = json.loads(SCHEMA.read_text(encoding="utf-8"))


def merge(under: Any, over: Any) -> Any:
    """As helm does: objects are merged, everything else is replaced."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return {**under, **{key: merge(under.get(key), value) for key, value in over.items()}}


def load(name: str) -> Object:
    found: Object = yaml.safe_load((CHART / name).read_text(encoding="utf-8"))
    return found


def values(example: str) -> Object:
    found: Object = merge(load("values.yaml"), load(f"values-{example}.yaml"))
    return found


def changed(path: str, value: object) -> Object:
    """The values for development with one more value, at a path such as `image.tag`."""
    *groups, last = path.split(".")
    found = copy.deepcopy(values("dev"))
    reduce(lambda group, key: group.setdefault(key, {}), groups, found)[last] = value
    return found


def errors(given: Object) -> list[str]:
    return [error.message for error in validator(STRICT).iter_errors(given)]


def objects_of(schema: Any) -> Iterator[Object]:
    """Every schema of an object with named properties that stands in this one."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from objects_of(part)


def test_the_settings_of_the_schema_are_those_of_the_code() -> None:
    """Generate it with `python -m tests.support.chart.settings_schema`."""
    assert SCHEMA.read_text(encoding="utf-8") == regenerated()


def test_every_setting_is_either_a_value_or_set_by_the_chart() -> None:
    known = {name for name, _ in setting_names()}

    assert known >= SET_BY_THE_CHART
    assert set(STRICT["definitions"]["settings"]["properties"]) == known - SET_BY_THE_CHART


def test_no_object_accepts_unknown_names() -> None:
    found = list(objects_of(STRICT))

    assert len(found) > 20
    assert [schema for schema in found if schema.get("additionalProperties") is not False] == []


def test_every_default_is_in_the_schema_and_every_part_of_the_schema_has_a_default() -> None:
    assert set(load("values.yaml")) == set(STRICT["properties"]) - {"global"}


def test_every_role_of_the_worker_command_is_a_value() -> None:
    assert set(load("values.yaml")["roles"]) == set(STRICT["properties"]["roles"]["properties"])
    assert set(load("values.yaml")["roles"]) == set(get_args(WorkerRole))


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_valid(example: str) -> None:
    assert errors(values(example)) == []


def test_the_defaults_alone_lack_only_the_brokers() -> None:
    assert errors(load("values.yaml")) == ["'FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS' is a required property"]


def test_settings_that_repeat_a_default_repeat_it_rightly() -> None:
    known = dict(setting_names())
    ours = {"FRAUDSTREAM_DEPLOYMENT_STAGE", "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS"}
    given = load("values.yaml")["settings"]

    assert {name: known[name] for name in given if name not in ours} == {
        name: value for name, value in given.items() if name not in ours
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("settings.FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVER", "kafka:9092"),
        ("settings.FRAUDSTREAM_WORKER_METRICS_PORT", 70_000),
        ("settings.FRAUDSTREAM_WORKER_METRICS_PORT", "9464"),
        ("settings.FRAUDSTREAM_KAFKA_ISOLATION", "serializable"),
        ("settings.FRAUDSTREAM_WORKER_ROLE", "risk"),
        ("settings.FRAUDSTREAM_MODEL_DIR", "/models"),
        ("roles.risk.settings.FRAUDSTREAM_WORKER_APP_ID", "another"),
        ("roles.risk.settings.FRAUDSTREAM_TOPICS_ALERTS", "another"),
        ("roles.risk.settings.FRAUDSTREAM_WORKER_STOP_SECONDS", 60),
        ("roles.console.enabled", True),
        ("roles.analytics.replicas", 2),
        ("roles.analytics.autoscaling.enabled", True),
        ("roles.risk.autoscaling.lagRecords", 0),
        ("roles.risk.resources.requests.cpus", "1"),
        ("image.digest", "sha256:1234"),
        ("secretName", "Not_A_Name"),
        ("models.source", "bucket"),
        ("models.source", "volume"),
        ("models.source", "artifact"),
        ("models.artifact.reference", "registry.example/fraud-models:latest"),
        ("topics.acls.enabled", True),
        ("networkPolicy.egress.kafka", {"to": [], "ports": [9092]}),
        ("networkPolicy.egress.postgres", {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [5432]}),
        ("scheduling.hostAntiAffinity", "never"),
        ("files", {"a/b": "text"}),
    ],
)
def test_a_wrong_value_is_refused(path: str, value: object) -> None:
    assert errors(changed(path, value))


def test_the_principals_of_the_production_example_are_those_of_its_logins() -> None:
    """`fraudstream acl print` grants the rights of a role to User:ROLE."""
    given = values("production")
    logins = {
        name: part["settings"]["FRAUDSTREAM_KAFKA_SASL_USERNAME"]
        for name, part in [
            *given["roles"].items(),
            *((name, given[name]) for name in ("monitor", "reference", "topics")),
        ]
    }

    assert logins == {name: name for name in logins}
    assert set(logins) <= set(ROLES)


def test_the_chart_installs_the_image_of_its_release() -> None:
    """At a release, change Chart.yaml and run `make manifests`."""
    chart = load("Chart.yaml")

    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)
