"""The plain manifests of deploy/kubernetes: what the chart renders with the values for production, one file per template.

``python -m tests.support.chart.manifests`` writes them. Alert rules and dashboards are left out, because without the
Prometheus operator they are loaded as files, from deploy/prometheus and deploy/grafana.
"""

import re

from tests.support.chart.objects import parse
from tests.support.chart.tools import MANIFESTS, template, values_file

WITHOUT_COPIES = ("--set=monitoring.prometheusRule=false", "--set=monitoring.dashboards=false")
_HEAD = (
    "# Rendered by `make manifests` from deploy/helm/fraudstream with values-production.yaml; do not edit.\n"
)
_SOURCE = re.compile(r"^# Source: fraudstream/templates/(\S+)\n", re.MULTILINE)


def rendered() -> dict[str, str]:
    """The content of each file, by name."""
    return by_file(template(values_file("production"), *WITHOUT_COPIES))


def by_file(output: str) -> dict[str, str]:
    """Split what ``helm template`` prints, which names the template of each object.

    Objects are ordered by name and kind: helm's own order differs between its versions.
    """
    files: dict[str, list[str]] = {}
    for document in re.split(r"^---\n", output, flags=re.MULTILINE):
        if source := _SOURCE.search(document):
            files.setdefault(source[1], []).append(_SOURCE.sub("", document).strip("\n") + "\n")
    return {name: "---\n".join([_HEAD, *sorted(found, key=_order)]) for name, found in sorted(files.items())}


def _order(document: str) -> tuple[str, str]:
    (found,) = parse(document)
    return found["metadata"]["name"], found["kind"]


def write() -> None:
    """Replace the files of deploy/kubernetes."""
    for old in MANIFESTS.glob("*.yaml"):
        old.unlink()
    for name, content in rendered().items():
        (MANIFESTS / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
