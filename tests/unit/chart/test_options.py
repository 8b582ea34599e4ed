"""What follows from single values of the chart: models, files, network policies, scaling."""

import json
from typing import Any

import pytest

from tests.support.chart.objects import dev, named
from tests.support.chart.tools import HelmFailed, needs

pytestmark = needs("helm")

DIGEST = "sha256:" + "1" * 64
MODELS = f"registry.example/fraud-models@{DIGEST}"
ANYWHERE = json.dumps({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [443]})
CONNECTED = (
    "--set=networkPolicy.enabled=true",
    *(f"--set-json=networkPolicy.egress.{peer}={ANYWHERE}" for peer in ("kafka", "redis")),
)


def pod(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = named(dev(*words), "StatefulSet", "fraudstream-risk")["spec"]["template"]["spec"]
    return found


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


def test_the_grace_period_follows_the_setting() -> None:
    assert (
        pod("--set-json=settings.FRAUDSTREAM_WORKER_STOP_SECONDS=40.5")["terminationGracePeriodSeconds"] == 46
    )
