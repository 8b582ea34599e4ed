"""kube-score finds nothing in the plain manifests beyond what is decided."""

import subprocess

from tests.support.chart.tools import MANIFESTS, find, needs

pytestmark = needs("kube-score")

DECIDED = {
    "container-image-pull-policy": "Always would keep a pod from starting while the registry of images is away",
}
"""Checks that are left out, with the reason. `--ignore-container-cpu-limit`: see values.yaml."""


def test_kube_score_finds_nothing() -> None:
    program = find("kube-score")
    assert program is not None
    left_out = [f"--ignore-test={name}" for name in DECIDED]
    files = sorted(map(str, MANIFESTS.glob("*.yaml")))
    command = [program, "score", "--ignore-container-cpu-limit", "--output-format=ci", *left_out, *files]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)  # noqa: S603  # ours

    assert [line for line in done.stdout.splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))] == []
    assert done.stdout
