"""Pods of the plain manifests and of the chart for development: hardened, bounded, spread, with every volume they mount."""

from typing import get_args

from app.settings import Settings, WorkerRole
from tests.support.chart.objects import (
    PROGRAMS,
    Object,
    committed,
    containers,
    environment,
    named,
    pods,
)


def test_a_pod_has_longer_to_stop_than_its_worker(objects: list[Object]) -> None:
    for role in get_args(WorkerRole):
        pod = named(objects, "StatefulSet", f"fraudstream-{role}")["spec"]["template"]["spec"]
        given = Settings.from_env(environment(objects, pod["containers"][0]))
        assert pod["terminationGracePeriodSeconds"] > given.worker.stop_seconds


def test_no_pod_gets_variables_of_services(objects: list[Object]) -> None:
    """Kubernetes would add FRAUDSTREAM_…_PORT for a Service named fraudstream-…, and a worker refuses unknown settings."""
    for name, pod in pods(objects):
        assert pod["spec"]["enableServiceLinks"] is False, name


def test_every_pod_is_hardened(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert {spec["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {10001}
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for found in containers(pod):
            assert found["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_every_container_has_bounds_on_memory_and_disk_and_none_on_cpu(objects: list[Object]) -> None:
    """Throttling could pause a worker for longer than its session timeout."""
    for _, pod in pods(objects):
        for found in containers(pod):
            assert set(found["resources"]["requests"]) == {"cpu", "memory", "ephemeral-storage"}
            assert set(found["resources"]["limits"]) == {"memory", "ephemeral-storage"}


def test_production_reads_each_secret_from_an_existing_one() -> None:
    used = {
        volume["secret"]["secretName"]
        for _, pod in pods(committed())
        for volume in pod["spec"]["volumes"]
        if "secret" in volume
    }

    assert used == {f"fraudstream-{name}" for name in PROGRAMS} | {
        "fraudstream-kafka-admin",
        "registry-login",
    }


def test_every_mounted_volume_exists(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        claims = {"data"} if name.removeprefix("fraudstream-") in get_args(WorkerRole) else set()
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]} | claims
        mounted = {mount["name"] for found in containers(pod) for mount in found["volumeMounts"]}
        assert mounted == volumes, name


def test_the_pods_of_a_role_are_spread_and_are_not_all_evicted(objects: list[Object]) -> None:
    for role in get_args(WorkerRole):
        stateful = named(objects, "StatefulSet", f"fraudstream-{role}")["spec"]
        budget = named(objects, "PodDisruptionBudget", f"fraudstream-{role}")["spec"]
        pod = stateful["template"]["spec"]
        labels = stateful["selector"]["matchLabels"]
        (preferred,) = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        (zones,) = pod["topologySpreadConstraints"]
        assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
        assert preferred["podAffinityTerm"]["labelSelector"]["matchLabels"] == labels
        assert zones["labelSelector"]["matchLabels"] == labels
        assert labels.items() <= stateful["template"]["metadata"]["labels"].items()
