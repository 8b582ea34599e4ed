"""An Avro converter of Kafka Connect: Apicurio's. ``python -m tests.support.servers.avro_converter`` writes the lock file of its jars.

Confluent's is only in Confluent's own repository; the jars of this project come from Maven Central. Both write a schema id of four
bytes, and Avro schemas with the names of Kafka Connect's types. Releases 3 of Apicurio's lack parts in Maven Central.
"""

import sys
from pathlib import Path

from app.local import stack as local_stack
from app.local.java import jars
from app.local.java.coordinate import Coordinate
from app.local.processes import end
from app.local.state import Stack

ROOT = "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final"
LOCK = Path(__file__).with_suffix(".lock")
OF_CONNECT = {"org.apache.kafka", "org.slf4j", "org.lz4", "org.xerial.snappy", "com.github.luben"}
"""Groups of jars that Kafka Connect gives to its plugins."""
_CLASS = "io.apicurio.registry.utils.converter.AvroConverter"
_API, _OF_CONFLUENT = "/apis/registry/v2", "/apis/ccompat/v7"
_STOP_SECONDS = 20


def install(stack: Stack, folder: Path) -> None:
    """Start Kafka Connect again, with the converter as its plugin in ``folder``."""
    pinned = dict(line.split() for line in LOCK.read_text(encoding="utf-8").splitlines()[1:])
    own = folder / "avro-converter"
    own.mkdir(parents=True)
    for jar in jars.ensure(
        jars.cache_directory(), {Coordinate.parse(name): sha256 for name, sha256 in pinned.items()}
    ):
        (own / jar.name).symlink_to(jar)
    with (stack.directory / "connect" / "connect.properties").open("a", encoding="utf-8") as properties:
        # The converter has no list of services, by which Connect would find it otherwise.
        properties.write(f"plugin.path={folder}\nplugin.discovery=hybrid_warn\n")
    (connect,) = [part.process for part in stack.parts if part.name == "connect"]
    assert connect is not None
    end([connect], _STOP_SECONDS)
    local_stack.start_dead(stack.directory)


def options(registry_url: str) -> dict[str, str]:
    """Of a connector that writes Avro in Confluent's wire format."""
    of_apicurio = {
        "url": registry_url.replace(_OF_CONFLUENT, _API),
        "auto-register": "true",
        "headers.enabled": "false",  # the id stands in the value
        "as-confluent": "true",
        "use-id": "contentId",
    }
    return {"value.converter": _CLASS} | {
        f"value.converter.apicurio.registry.{name}": value for name, value in of_apicurio.items()
    }


if __name__ == "__main__":
    lock = {
        coordinate: sha256
        for coordinate, sha256 in jars.lock_roots([ROOT]).items()
        if coordinate.group not in OF_CONNECT
    }
    head = f"# SHA-256 of every jar of the Avro converter. Written by `python -m {__spec__.name}`.\n"
    _, *lines = jars.format_lock(lock).splitlines(keepends=True)
    LOCK.write_text(head + "".join(lines), encoding="utf-8")
    sys.stderr.write(f"wrote {LOCK.name}\n")
