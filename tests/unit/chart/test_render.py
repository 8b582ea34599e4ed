"""What helm makes of the chart: the committed manifests, and what follows from single values."""

import json
from typing import Any

import pytest

from tests.support.chart import manifests
from tests.support.chart.objects import Object, environment, named, parse, problems, yaml
from tests.support.chart.tools import CHART, MANIFESTS, HelmFailed, helm, needs, template, values_file
from tests.support.paths import REPOSITORY

pytestmark = needs("helm")

DIGEST = "sha256:" + "1" * 64
MODELS = f"registry.example/fraud-models@{DIGEST}"
ANYWHERE = json.dumps({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [443]})
CONNECTED = (
    "--set=networkPolicy.enabled=true",
    *(f"--set-json=networkPolicy.egress.{peer}={ANYWHERE}" for peer in ("kafka", "redis")),
)


def dev(*words: str) -> list[Object]:
    return parse(template(values_file("dev"), *words))


def risk(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = named(dev(*words), "StatefulSet", "fraudstream-risk")["spec"]
    return found


def pod(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = risk(*words)["template"]["spec"]
    return found


def checksum(*words: str) -> str:
    return str(risk(*words)["template"]["metadata"]["annotations"]["checksum/config"])


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


def test_models_of_the_image_need_no_volume() -> None:
    assert "initContainers" not in pod()
    assert "models" not in {volume["name"] for volume in pod()["volumes"]}


def test_a_new_artifact_needs_no_new_image() -> None:
    words = ("--set=models.source=artifact", "--set=models.artifact.secretName=login")
    first = pod(*words, f"--set=models.artifact.reference={MODELS}")
    second = pod(*words, f"--set=models.artifact.reference={MODELS.replace('1', '2')}")
    (pull,) = first["initContainers"]
    (worker,) = first["containers"]

    assert pull["args"][-1] == MODELS
    assert first["initContainers"] != second["initContainers"], "the pods roll"
    assert first["containers"] == second["containers"]
    assert {"name": "FRAUDSTREAM_MODEL_DIR", "value": "/srv/models"} in worker["env"]
    assert {"name": "models", "mountPath": "/srv/models", "readOnly": True} in worker["volumeMounts"]
    assert {"name": "models", "mountPath": "/srv/models"} in pull["volumeMounts"]


def test_models_may_be_on_a_claim() -> None:
    found = pod("--set=models.source=volume", "--set=models.volume.claimName=models")

    assert {"name": "models", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}} in found[
        "volumes"
    ]
    assert "initContainers" not in found


def test_only_scoring_workers_load_models() -> None:
    words = ("--set=models.source=volume", "--set=models.volume.claimName=models")
    found = named(dev(*words), "StatefulSet", "fraudstream-crm")["spec"]["template"]["spec"]

    assert "models" not in {volume["name"] for volume in found["volumes"]}


def test_text_files_are_mounted_for_every_program() -> None:
    """The Job before an install has a copy, because the other ConfigMap does not exist yet."""
    found = dev("--set=files.key\\.pub=text")
    job = named(found, "Job", "fraudstream-topics")["spec"]["template"]["spec"]

    assert named(found, "ConfigMap", "fraudstream-files")["data"] == {"key.pub": "text"}
    assert named(found, "ConfigMap", "fraudstream-topics")["data"] == {"key.pub": "text"}
    assert {"name": "files", "configMap": {"name": "fraudstream-topics"}} in job["volumes"]


def test_headers_for_the_collector_come_from_a_secret() -> None:
    (worker,) = pod("--set=tracingHeaders.secretName=collector")["containers"]
    (found,) = (one for one in worker["env"] if one["name"] == "OTEL_EXPORTER_OTLP_HEADERS")

    assert found["valueFrom"] == {"secretKeyRef": {"name": "collector", "key": "headers"}}


def test_the_grace_period_follows_the_setting() -> None:
    assert (
        pod("--set-json=settings.FRAUDSTREAM_WORKER_STOP_SECONDS=40.5")["terminationGracePeriodSeconds"] == 46
    )


@pytest.mark.parametrize(
    ("setting", "peer"),
    [
        ("FRAUDSTREAM_REGISTRY_URL=https://schemas:8443", "registry"),
        ("FRAUDSTREAM_TRACING_OTLP_URL=https://collector:4318/v1/traces", "otlp"),
        ("FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL=https://identity/token", "oauth"),
    ],
)
@pytest.mark.parametrize("where", ["settings", "roles.risk.settings"])
def test_a_server_of_the_settings_must_be_in_the_network_policy(where: str, setting: str, peer: str) -> None:
    given = (*CONNECTED, f"--set={where}.{setting}")
    allowed = f"--set-json=networkPolicy.egress.{peer}={ANYWHERE}"

    with pytest.raises(HelmFailed, match=rf"networkPolicy\.egress\.{peer} is missing"):
        dev(*given)
    assert len(named(dev(*given, allowed), "NetworkPolicy", "fraudstream")["spec"]["egress"]) == 4


def test_the_registry_of_the_models_must_be_in_the_network_policy() -> None:
    with pytest.raises(HelmFailed, match=r"networkPolicy\.egress\.models is missing"):
        dev(*CONNECTED, "--set=models.source=artifact", f"--set=models.artifact.reference={MODELS}")


@pytest.mark.parametrize("role", ["risk", "entities", "crm"])
def test_roles_scale_by_the_lag_of_their_topic(role: str) -> None:
    found = dev(
        f"--set=roles.{role}.autoscaling.enabled=true", "--set=settings.FRAUDSTREAM_TOPICS_PARTITIONS=12"
    )
    scaled = named(found, "ScaledObject", f"fraudstream-{role}")["spec"]
    topic = {
        "risk": "payments.transactions.v1",
        "entities": "fraud.entity-activity.v1",
        "crm": "fraud.alerts.v1",
    }

    assert scaled["maxReplicaCount"] == 12
    assert scaled["triggers"][0]["metadata"]["consumerGroup"] == f"fraudstream-{role}"
    assert scaled["triggers"][0]["metadata"]["topic"] == topic[role]
    assert "replicas" not in named(found, "StatefulSet", f"fraudstream-{role}")["spec"]


def test_more_workers_than_partitions_are_refused() -> None:
    with pytest.raises(HelmFailed, match="further workers would be idle"):
        dev("--set=roles.risk.autoscaling.enabled=true", "--set=roles.risk.autoscaling.minReplicas=9")


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
    found = parse(helm("template", "second", CHART, values_file("dev")))

    assert {one["metadata"]["name"].partition("-")[0] for one in found} == {"second"}
