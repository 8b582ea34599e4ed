"""Kafka Connect with Debezium's connector for Postgres: one worker in distributed mode, on loopback."""

import http.client
from pathlib import Path

from app.local import postgres
from app.local.cluster import Cluster
from app.local.java import jars, runtime
from app.local.ports import HOST
from app.local.state import Part

NAME = "connect"
LOCK = "connect.lock"
HEAP_MB = 384
ANSWER_SECONDS = 5


def part(directory: Path, cluster: Cluster) -> Part:
    """Configure the worker and return the part to start. The brokers store the state of connectors."""
    folder, log = directory / NAME, directory / "logs" / f"{NAME}.log"
    settings = runtime.prepare(folder, log, jars.ensure(jars.cache_directory(), jars.read_lock(LOCK)))
    properties = folder / "connect.properties"
    properties.write_text(
        "".join(f"{name}={value}\n" for name, value in worker_properties(cluster).items()), encoding="utf-8"
    )
    run = runtime.command(
        settings, f"-Xmx{HEAP_MB}m", "org.apache.kafka.connect.cli.ConnectDistributed", str(properties)
    )
    return Part(
        name=NAME,
        port=cluster.extra_ports[NAME],
        log=log,
        command=run,
        environment=bank(cluster, postgres.password(directory)),
    )


def worker_properties(cluster: Cluster) -> dict[str, object]:
    """Return the content of connect.properties; other properties have Kafka's defaults."""
    replicas = len(cluster.nodes)
    topics = {
        f"{kind}.storage.{name}": value
        for kind in ("config", "offset", "status")
        for name, value in (("topic", f"{NAME}.{kind}s"), ("replication.factor", replicas))
    }
    return (
        {
            "bootstrap.servers": cluster.bootstrap_servers,
            "group.id": NAME,
            "listeners": url(cluster.extra_ports[NAME]),
            "rest.advertised.host.name": HOST,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "plugin.discovery": "service_load",
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "config.providers.env.param.allowlist.pattern": "^BANK_[A-Z]+$",
            "offset.flush.interval.ms": 5_000,  # records of this time are sent again after a kill; Kafka's default is 60 s
            "offset.storage.partitions": 1,
            "status.storage.partitions": 1,
        }
        | topics
    )


def url(port: int) -> str:
    """Return the URL of the REST interface."""
    return f"http://{HOST}:{port}"


def answers(address: str) -> bool:
    """Return whether the worker has joined its group and accepts requests."""
    client = http.client.HTTPConnection(address.removeprefix("http://"), timeout=ANSWER_SECONDS)
    try:
        client.request("GET", "/connectors")
        return client.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def bank(cluster: Cluster, password: str) -> dict[str, str]:
    """Return the address and account of the bank's database, by the names used in deploy/connect."""
    return {
        "BANK_HOST": HOST,
        "BANK_PORT": str(cluster.extra_ports.get(postgres.NAME, 5432)),
        "BANK_DATABASE": postgres.DATABASE,
        "BANK_USER": postgres.USER,
        "BANK_PASSWORD": password,
    }
