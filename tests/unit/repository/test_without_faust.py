"""Replay, batch and the simulation compute chunks without Faust; the computation itself also without a Kafka client."""

import subprocess
import sys

import pytest

from tests.support.paths import REPOSITORY

FAUST = ("faust", "mode")
CLIENTS = ("aiokafka", "redis", "rocksdict")
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.iter_modules(package.__path__):
    if module.name != "__main__":
        importlib.import_module(f"{package.__name__}.{module.name}")
print(*sorted(set(sys.argv[2:]) & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("package", "unwanted"),
    [
        ("app.processing", FAUST + CLIENTS),
        ("app.batch", FAUST),
        ("app.replay", FAUST),
        ("tests.simulation", FAUST),
    ],
)
def test_no_module_of_the_package_loads_an_unwanted_library(package: str, unwanted: tuple[str, ...]) -> None:
    loaded = subprocess.run(  # noqa: S603  # this interpreter, on text written here
        [sys.executable, "-c", IMPORT_ALL, package, *unwanted],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )

    assert loaded.stdout.split() == []
