"""What helm makes of the chart: the committed manifests, alerts and dashboards, and the configuration of pods."""

import json

import pytest

from tests.support.chart import manifests
from tests.support.chart.objects import dev, environment, named, parse, problems, yaml
from tests.support.chart.tools import (
    CHART,
    MANIFESTS,
    HelmFailed,
    helm,
    needs,
    rendered_as,
    template,
    values_file,
)
from tests.support.paths import REPOSITORY

pytestmark = needs("helm")


def checksum(*words: str) -> str:
    stateful = named(dev(*words), "StatefulSet", "fraudstream-risk")
    return str(stateful["spec"]["template"]["metadata"]["annotations"]["checksum/config"])


def test_the_committed_manifests_are_what_the_chart_renders() -> None:
    """Render them with `make manifests`."""
    written = {path.name: path.read_text(encoding="utf-8") for path in MANIFESTS.glob("*.yaml")}

    assert written == manifests.rendered()


@pytest.mark.parametrize("example", ["dev", "production"])
def test_helm_lint_finds_nothing(example: str) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", CHART, values_file(example))


def test_helm_refuses_the_chart_without_the_address_of_the_brokers() -> None:
    with pytest.raises(HelmFailed, match="FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"):
        template()


def test_helm_refuses_a_setting_that_does_not_exist() -> None:
    with pytest.raises(HelmFailed, match="FRAUDSTREAM_KAFKA_BOOTSTRAP"):
        dev("--set=settings.FRAUDSTREAM_KAFKA_BOOTSTRAP=kafka:9092")


def test_every_resource_of_monitoring_follows_its_schema() -> None:
    found = parse(template(values_file("production")))

    assert {"PodMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication"} <= {
        one["kind"] for one in found
    }
    assert [line for one in found for line in problems(one)] == []


def test_the_alerts_and_dashboards_are_those_of_deploy() -> None:
    found = parse(template(values_file("production")))
    rules = (REPOSITORY / "deploy" / "prometheus" / "rules.yaml").read_text(encoding="utf-8")
    dashboards = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in (REPOSITORY / "deploy" / "grafana" / "dashboards").glob("*.json")
    }
    shown = {
        name: json.loads(text)
        for one in found
        if one["metadata"]["labels"].get("grafana_dashboard") == "1"
        for name, text in one["data"].items()
    }

    assert named(found, "PrometheusRule", "fraudstream")["spec"] == yaml.safe_load(rules)
    assert shown == dashboards


def test_numbers_keep_their_digits() -> None:
    """Numbers of values are floats for helm, which would write 1.34217728e+08."""
    given = (
        "FRAUDSTREAM_KAFKA_BATCH_UNPACKED_BYTES=134217728",
        "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS=0.05",
    )
    found = dev(
        *(f"--set-json=settings.{one}" for one in given),
        "--set-json=roles.risk.settings.FRAUDSTREAM_WORKER_PROFILE_CACHE_BYTES=268435456",
    )
    stateful = named(found, "StatefulSet", "fraudstream-risk")["spec"]["template"]["spec"]
    seen = environment(found, stateful["containers"][0])

    assert seen["FRAUDSTREAM_KAFKA_BATCH_UNPACKED_BYTES"] == "134217728"
    assert seen["FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS"] == "0.05"
    assert seen["FRAUDSTREAM_WORKER_PROFILE_CACHE_BYTES"] == "268435456"


def test_pods_roll_when_the_configuration_changes_and_only_then() -> None:
    assert checksum() == checksum("--set=roles.risk.replicas=3")
    assert checksum() != checksum("--set=settings.FRAUDSTREAM_WORKER_LOG_LEVEL=debug")
    assert checksum("--set=files.key=one") != checksum("--set=files.key=two")


def test_a_setting_of_a_role_changes_the_pods_of_that_role_alone() -> None:
    before, after = dev(), dev("--set=roles.crm.settings.FRAUDSTREAM_WORKER_LOG_LEVEL=debug")

    changed = [one["metadata"]["name"] for one, other in zip(before, after, strict=True) if one != other]

    assert changed == ["fraudstream-crm"]


def test_a_role_can_be_left_out() -> None:
    assert "fraudstream-crm" not in {one["metadata"]["name"] for one in dev("--set=roles.crm.enabled=false")}


def test_principals_are_given_to_the_script_of_acls() -> None:
    words = (
        "--set=topics.acls.enabled=true",
        "--set=topics.acls.secretName=admin",
        "--set=topics.acls.principals.risk=User:CN=risk",
    )
    printing, _ = named(dev(*words), "Job", "fraudstream-topics")["spec"]["template"]["spec"][
        "initContainers"
    ]

    assert printing["args"] == ["--principal=risk=User:CN=risk"]


def test_another_release_has_other_names() -> None:
    found = parse(rendered_as("second", values_file("dev")))

    assert {one["metadata"]["name"].partition("-")[0] for one in found} == {"second"}
