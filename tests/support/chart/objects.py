"""Objects of manifests: read from YAML, checked against schemas, and the parts that several tests look at."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TypeAlias, get_args

from app.settings import WorkerRole
from app.settings.kinds import PREFIX
from tests.support.chart.tools import MANIFESTS, template, values_file
from tests.support.paths import REPOSITORY

Object: TypeAlias = dict[str, Any]

kubernetes_validate: Any = import_module("kubernetes_validate")
yaml: Any = import_module("yaml")
jsonschema: Any = import_module("jsonschema")

OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()
"""Releases of Kubernetes whose schemas are compared: the oldest that Chart.yaml admits, and the newest known here."""
PROGRAMS = {*get_args(WorkerRole), "monitor", "reference", "topics"}
"""What the chart runs; each object that makes pods has the name of its program."""
CUSTOM = json.loads((REPOSITORY / "tests" / "support" / "chart" / "custom_resources.json").read_text("utf-8"))
"""Schemas of the resources of the Prometheus operator and of KEDA, written by hand: only the fields that the chart uses."""


def parse(text: str) -> list[Object]:
    """The objects of a text with several documents."""
    return [found for found in yaml.safe_load_all(text) if found]


def committed() -> list[Object]:
    """The objects of deploy/kubernetes."""
    return [found for path in sorted(MANIFESTS.glob("*.yaml")) for found in parse(path.read_text("utf-8"))]


def dev(*words: str) -> list[Object]:
    """What the chart renders for development, with further options of helm."""
    return parse(template(values_file("dev"), *words))


def problems(found: Object, version: str = NEWEST) -> list[str]:
    """Where an object does not follow its schema, unknown fields included."""
    if found["kind"] in CUSTOM["definitions"]:
        schema = {"$ref": f"#/definitions/{found['kind']}", "definitions": CUSTOM["definitions"]}
        return [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(found)]
    try:
        kubernetes_validate.validate(found, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [str(error)]
    return []


def validator(schema: Object) -> Any:
    """A validator of JSON Schema draft 7, which helm uses as well."""
    return jsonschema.Draft7Validator(schema)


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one object with this kind and name."""
    (found,) = (one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Name and pod template of every object that makes pods."""
    for found in objects:
        if found["kind"] in {"StatefulSet", "Deployment", "Job"}:
            yield found["metadata"]["name"], found["spec"]["template"]


def containers(template: Object) -> list[Object]:
    """The containers of a pod template, those that run before it included."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def environment(objects: list[Object], container: Object) -> dict[str, str]:
    """The settings of a container, those of its ConfigMaps included; fields of the pod are given a value."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", []):
        found[variable["name"]] = variable.get("value", "pod-0")
    return {name: value for name, value in found.items() if name.startswith(PREFIX)}
