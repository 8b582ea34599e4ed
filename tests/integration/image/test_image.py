"""The image of this checkout, built and run without Docker, as the manifests run it."""

import json
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from app.local import ports
from app.settings import values as setting_values
from app.version import VERSION
from bench.image import builder
from bench.image.builder import Image
from bench.image.container import DATA_DIR, USER, Container
from bench.image.probes import ask, until
from tests.lock_files import pinned
from tests.support.deployment import Deployment
from tests.support.traffic import traffic

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(2 * builder.BUILD_SECONDS),
    pytest.mark.skipif(builder.missing() != "", reason=builder.missing()),
]

SBOM = "usr/share/fraudstream/sbom.cdx.json"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with builder.built() as image:
        yield image


class Run:
    """Containers of the image on one volume, which listen on one port."""

    def __init__(self, image: Image, deployment: Deployment, directory: Path) -> None:
        self.port = ports.choose()
        self._image, self._directory = image, directory
        self._environment = {name: str(value) for name, value in setting_values(deployment.settings).items()}
        self._containers: list[Container] = []

    def start(self, *words: str, **environment: str) -> Container:
        own = {"FRAUDSTREAM_WORKER_METRICS_PORT": str(self.port)} | environment
        container = Container(self._image, self._directory, words, self._environment | own)
        self._containers.append(container)
        return container

    def clear_up(self) -> None:
        for container in self._containers:
            container.clear_up()


@pytest.fixture
async def run(image: Image, deployment: Deployment, tmp_path: Path) -> AsyncIterator[Run]:
    started = Run(image, deployment, tmp_path / "containers")
    yield started
    started.clear_up()


def test_the_image_says_what_it_is_and_how_it_is_run(image: Image) -> None:
    found = image.configuration

    assert found["User"] == str(USER)
    assert (found["Entrypoint"], found["Cmd"]) == (["fraudstream"], ["worker"])
    assert list(found["Volumes"]) == ["/var/lib/fraudstream"]
    assert {
        "title": "fraudstream",
        "licenses": "Apache-2.0",
        "base.name": builder.BASE,
        "version": builder.VERSION,
        "revision": builder.REVISION,
    }.items() <= {
        name.removeprefix("org.opencontainers.image."): text for name, text in found["Labels"].items()
    }.items()


def test_the_list_of_software_is_that_of_the_lock(image: Image) -> None:
    document = json.loads((image.root / SBOM).read_text(encoding="utf-8"))
    listed = {component["purl"] for component in document["components"]}
    locked = {
        f"pkg:pypi/{canonicalize_name(name)}@{pin.removeprefix('==')}"
        for name, pin in pinned("requirements-runtime.lock", "3.11").items()
    }

    python = {purl for purl in listed if purl.startswith("pkg:pypi/")}
    assert {purl.split("@")[0] for purl in python - locked} == {"pkg:pypi/pip", "pkg:pypi/setuptools"}
    assert locked <= python
    assert {purl.split("@")[0] for purl in listed - python} >= {
        "pkg:deb/debian/libc6",
        "pkg:deb/debian/libgomp1",
        "pkg:generic/cpython",
    }
    assert document["metadata"]["component"]["purl"] == f"pkg:pypi/fraudstream@{VERSION}"


def said_of_machine_code(worker: Container) -> list[dict[str, Any]]:
    """The log lines of a worker about its machine code: none if all of it was read from the image or the volume."""
    lines = (json.loads(line) for line in worker.said().splitlines() if line.startswith("{"))
    return [line for line in lines if line["logger"] == "machine_code"]


async def test_a_worker_in_a_read_only_container_decides_and_stops(run: Run, deployment: Deployment) -> None:
    worker = run.start("worker")
    seconds = await until(worker, run.port, "/startupz")
    await until(worker, run.port, "/readyz")
    print(f"/startupz after {seconds:.1f} s")  # noqa: T201  # shown with -s; `python -m bench.image` measures it

    status = worker.run("cat", "/proc/1/status").stdout
    assert re.search(rf"^Uid:\s+{USER}\s+{USER}", status, re.MULTILINE)
    assert set(re.findall(r"^Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", status, re.MULTILINE)) == {"0" * 16}
    assert "Read-only file system" in worker.run("touch", "/srv/fraudstream/x").stderr

    await deployment.produce(traffic(1, seed=7))
    await deployment.decided(at_least=1)
    assert ask(run.port, "/livez") == 200
    healthy = worker.health()
    assert (healthy.returncode, healthy.stdout) == (0, "ok\n")

    left = worker.run("find", "/tmp", "-type", "f").stdout  # noqa: S108  # the container's
    assert worker.stop() == 0
    assert left == ""
    assert said_of_machine_code(worker) == []
    assert await deployment.lag() == 0


async def test_machine_code_for_another_processor_is_compiled_once_per_volume(run: Run) -> None:
    generic = {"NUMBA_CPU_NAME": "generic"}

    first = run.start("worker", **generic)
    compiling = await until(first, run.port, "/startupz")
    assert first.stop() == 0
    again = run.start("worker", **generic)
    loading = await until(again, run.port, "/startupz")
    assert again.stop() == 0
    print(f"compiling {compiling:.1f} s, then {loading:.1f} s")  # noqa: T201  # shown with -s

    [unfit, compiled] = said_of_machine_code(first)
    assert unfit["event"] == "machine_code_unfit"
    assert unfit["why"].endswith(" is for other processor, instructions")
    assert compiled["event"] == "machine_code_compiled"
    assert compiled["kept"].startswith(f"{DATA_DIR}/.cache/")
    assert said_of_machine_code(again) == []


async def test_a_worker_that_does_not_answer_is_unhealthy(run: Run) -> None:
    worker = run.start("worker")
    await until(worker, run.port, "/livez")
    assert worker.health().returncode == 0

    worker.send(signal.SIGSTOP)
    assert worker.health().returncode == 1


async def test_another_command_of_the_image_is_healthy(run: Run) -> None:
    monitor = run.start("monitor", "--serve", "--host", "127.0.0.1", "--port", str(run.port))
    await until(monitor, run.port, "/metrics")

    assert monitor.health().returncode == 0
    assert monitor.stop() == 0
