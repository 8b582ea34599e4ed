"""Seconds from the start of a container to its worker's probes: `python -m bench.image [--turns 5] [--json]`.

The image is built as in tests/integration/image; that needs root, buildah, debootstrap and runc. A container has what the
manifests give it: a read-only root, no capability, and a volume. ``in the image`` reads the machine code of the image, with
an empty volume in every turn. ``compiled`` is the first start on another processor than that of the build, on an empty
volume; ``on the volume`` is the next start on this volume.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.local import ports
from app.local.state import Stack
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import BenchDeployment
from bench.image import builder
from bench.image.container import Container
from bench.image.probes import until

ENDPOINTS = ("/startupz", "/readyz")
OTHER_PROCESSOR = {"NUMBA_CPU_NAME": "generic"}
"""Machine code of the image is for the processor of the build, so that it is unfit for a numba with this variable."""
STARTS = {
    "in the image": ("own", {}),
    "compiled": ("other", OTHER_PROCESSOR),
    "on the volume": ("other", OTHER_PROCESSOR),
}
"""The volume and the environment of each start of a turn, by the source of the machine code."""


def main() -> None:
    """Run, print and write ``bench/results/image.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    if why := builder.missing():
        sys.exit(f"The image cannot be built here: {why}.")
    with builder.built() as image, broker() as (stack, directory):
        rows = asyncio.run(run(image, stack, directory, options.turns))
    content = results.document("bench.image", rows, load_average=round(os.getloadavg()[0], 1))
    results.publish("image", content, table(content), as_json=options.json)


async def run(image: builder.Image, stack: Stack, directory: Path, turns: int) -> list[dict[str, Any]]:
    """Return a row for each source of the machine code."""
    deployment = BenchDeployment("image", stack.bootstrap_servers)
    await deployment.make_topics()
    taken: dict[str, list[dict[str, float]]] = {source: [] for source in STARTS}
    for number in range(turns):
        for source, (volume, environment) in STARTS.items():
            own = deployment.environment() | environment
            took = await start(image, own, directory / f"{volume}-{number}")
            results.progress(f"{source}: " + ", ".join(f"{name} {took[name]:.2f} s" for name in took))
            taken[source].append(took)
    return [
        {"machine_code": source}
        | {endpoint: [round(took[endpoint], 2) for took in all_of] for endpoint in ENDPOINTS}
        for source, all_of in taken.items()
    ]


async def start(image: builder.Image, environment: Mapping[str, str], directory: Path) -> dict[str, float]:
    """Start a worker and stop it; return the seconds until each endpoint answered."""
    port = ports.choose()
    own = {"FRAUDSTREAM_WORKER_METRICS_PORT": str(port)}
    container = Container(image, directory, ("worker",), {**environment, **own})
    try:
        took = {endpoint: await until(container, port, endpoint) for endpoint in ENDPOINTS}
        if status := container.stop():
            raise RuntimeError(f"the worker ended with {status}:\n{container.said()}")
    finally:
        container.clear_up()
    return took


def table(content: Mapping[str, Any]) -> str:
    """Return a table of medians and maxima."""
    rows = [
        (
            row["machine_code"],
            *(f"{each(row[endpoint]):.2f}" for endpoint in ENDPOINTS for each in (results.median, max)),
        )
        for row in content["results"]
    ]
    head = (
        "machine code",
        *(f"{name}, {kind} s" for name in ENDPOINTS for kind in ("median", "slowest")),
    )
    return results.table(head, rows)


if __name__ == "__main__":
    main()
