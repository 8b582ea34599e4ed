"""The plain manifests and the chart for development: valid objects, real settings, every program, nothing secret."""

import copy
from typing import Any, get_args

import pytest

from app.settings import Settings, WorkerRole, setting_names
from app.settings.kinds import PREFIX
from tests.support.chart.objects import (
    NEWEST,
    OLDEST,
    PROGRAMS,
    Object,
    committed,
    containers,
    environment,
    named,
    pods,
    problems,
)
from tests.support.chart.tools import CHART

OTHERS = {"POD_IP", "OTEL_EXPORTER_OTLP_HEADERS"}
"""Variables of our image that are no settings: an address for an option, and headers that the SDK of traces reads."""


def our_containers(objects: list[Object]) -> list[Object]:
    return [
        container
        for _, pod in pods(objects)
        for container in containers(pod)
        if container["image"].partition("@")[0].partition(":")[0].endswith("fraudstream")
    ]


def keys(found: Any) -> set[str]:
    """Every name of a field anywhere in an object."""
    if isinstance(found, dict):
        return set(found).union(*(keys(value) for value in found.values()))
    return set().union(*map(keys, found)) if isinstance(found, list) else set()


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_follows_its_schema(objects: list[Object], version: str) -> None:
    found = [
        (one["kind"], one["metadata"]["name"], line) for one in objects for line in problems(one, version)
    ]

    assert found == []


def test_a_misspelt_field_is_reported(objects: list[Object]) -> None:
    """Also of the resources whose schemas are written by hand."""
    for found in objects:
        wrong = copy.deepcopy(found)
        part = wrong.get("spec", wrong)
        part["mispelt"] = 1
        assert problems(wrong), found["kind"]


def test_every_program_of_the_service_is_there(objects: list[Object]) -> None:
    """The copy of the reference tables, and cases in a database, only where a bank has them."""
    found = {name.removeprefix("fraudstream-") for name, _ in pods(objects)}

    assert PROGRAMS - {"reference", "cases"} <= found <= PROGRAMS


def test_every_variable_is_a_setting(objects: list[Object]) -> None:
    known = {name for name, _ in setting_names()}
    given = {name for found in our_containers(objects) for name in environment(objects, found)}
    others = {
        variable["name"] for found in our_containers(objects) for variable in found.get("env", [])
    } - given

    assert given
    assert given <= known
    assert others <= OTHERS


def test_every_program_starts_with_its_settings(objects: list[Object]) -> None:
    """In stage production, settings that are only safe on a laptop are refused."""
    for found in our_containers(objects):
        settings = Settings.from_env(environment(objects, found))
        assert settings.topics.partitions == 8, found["name"]


def test_a_worker_knows_its_role_its_pod_and_its_address(objects: list[Object]) -> None:
    present = {name.removeprefix("fraudstream-") for name, _ in pods(objects)}
    for role in present & set(get_args(WorkerRole)):
        (found,) = named(objects, "StatefulSet", f"fraudstream-{role}")["spec"]["template"]["spec"][
            "containers"
        ]
        fields = {
            variable["name"]: variable["valueFrom"]["fieldRef"]["fieldPath"]
            for variable in found["env"]
            if "fieldRef" in variable.get("valueFrom", {})
        }
        assert found["args"] == ["worker", "--role", role]
        assert fields[f"{PREFIX}WORKER_INSTANCE_ID"] == "metadata.name"
        assert fields[f"{PREFIX}WORKER_METRICS_HOST"] == "status.podIP"
        assert {
            path["httpGet"]["path"]
            for path in (found[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness"))
        } == {
            "/startupz",
            "/readyz",
            "/livez",
        }


def test_nothing_secret_is_in_an_object(objects: list[Object]) -> None:
    assert "Secret" not in {found["kind"] for found in objects}
    assert {"stringData", "password"}.isdisjoint(keys(objects))


def test_the_topics_are_created_before_everything_else(objects: list[Object]) -> None:
    job = named(objects, "Job", "fraudstream-topics")
    (found,) = job["spec"]["template"]["spec"]["containers"]

    assert found["args"] == ["topics", "ensure"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    for source in found["envFrom"]:
        config = named(objects, "ConfigMap", source["configMapRef"]["name"])["metadata"]["annotations"]
        assert config["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert int(config["helm.sh/hook-weight"]) < 0


def test_production_scales_by_lag_up_to_the_number_of_partitions() -> None:
    found = named(committed(), "ScaledObject", "fraudstream-risk")["spec"]
    trigger, defaults = found["triggers"][0]["metadata"], Settings()
    stateful = named(committed(), "StatefulSet", found["scaleTargetRef"]["name"])["spec"]

    assert trigger["consumerGroup"] == defaults.worker.app_id
    assert trigger["topic"] == defaults.topics.transactions
    assert (trigger["tls"], trigger["sasl"]) == ("enable", "scram_sha512")
    assert found["maxReplicaCount"] == defaults.topics.partitions
    assert found["cooldownPeriod"] >= 600
    assert "replicas" not in stateful, "helm would undo the scaling at each upgrade"


def test_production_lets_pods_connect_to_what_they_need_and_to_nothing_else() -> None:
    found = named(committed(), "NetworkPolicy", "fraudstream")["spec"]
    ports = sorted(port["port"] for rule in found["egress"] for port in rule["ports"])

    assert found["policyTypes"] == ["Ingress", "Egress"]
    assert ports == [53, 53, 443, 4318, 5432, 6379, 8443, 9093]
    assert {port["port"] for rule in found["ingress"] for port in rule["ports"]} == {9464, 9480}


def test_production_scrapes_every_program_with_endpoints_under_the_jobs_of_the_alerts() -> None:
    jobs = {}
    for found in committed():
        if found["kind"] == "PodMonitor":
            (endpoint,) = found["spec"]["podMetricsEndpoints"]
            (expression,) = found["spec"]["selector"]["matchExpressions"]
            jobs[endpoint["relabelings"][0]["replacement"]] = set(expression["values"])

    assert jobs == {"fraudstream-worker": set(get_args(WorkerRole)), "fraudstream-monitor": {"monitor"}}


def test_the_chart_holds_the_alerts_and_dashboards_of_deploy() -> None:
    """Each as a link to the file, so that there is one of each; helm and the wheel take the content."""
    deploy, files = CHART.parents[1], CHART / "files"
    dashboards = (deploy / "grafana" / "dashboards").iterdir()

    assert (files / "rules.yaml").resolve() == deploy / "prometheus" / "rules.yaml"
    assert {path.resolve() for path in (files / "dashboards").iterdir()} == set(dashboards)
