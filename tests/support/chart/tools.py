"""Where the chart and the programs that check it are: helm and kube-score, which `make chart-tools` builds."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

CHART = REPOSITORY / "deploy" / "helm" / "fraudstream"
MANIFESTS = REPOSITORY / "deploy" / "kubernetes"
BUILT = REPOSITORY / ".tools" / "bin"
"""Where `make chart-tools` puts them."""
KUBERNETES = "1.31.0"
"""The cluster that a chart is rendered for: a helm built by `go install` knows no version of its own, and assumes 1.20."""


def find(program: str) -> str | None:
    """The path of a program: on the PATH, else built by `make chart-tools`."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), str(BUILT)]))


def needs(program: str) -> pytest.MarkDecorator:
    """Skip a test on a machine without the program."""
    return pytest.mark.skipif(
        find(program) is None,
        reason=f"no {program} on the PATH or in .tools/bin: `make chart-tools` builds it, where Go is installed",
    )


class HelmFailed(Exception):
    """helm refused the chart or the values; the text is its standard error."""


def helm(*words: str | Path) -> str:
    """Run helm and return what it prints. Raises HelmFailed."""
    program = find("helm")
    assert program is not None
    command = [program, *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)  # noqa: S603  # ours
    if done.returncode != 0:
        raise HelmFailed(done.stdout + done.stderr)
    return done.stdout


@cache
def template(*words: str) -> str:
    """What the chart renders as release `fraudstream`, with further options of `helm template`."""
    return rendered_as("fraudstream", *words)


def rendered_as(release: str, *words: str) -> str:
    """What the chart renders as another release."""
    return helm("template", release, CHART, f"--kube-version={KUBERNETES}", *words)


def values_file(name: str) -> str:
    """Option of helm that gives one of the chart's example values."""
    return f"--values={CHART / f'values-{name}.yaml'}"
