"""Identity, ports and broker configuration are kept over `stack down` and `stack up`."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.errors import ConfigurationError, StackError
from app.local import cluster, kafka, ports
from app.local.readiness import wait_ready
from app.local.state import Broker, Part, Stack


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which a server listens."""
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_the_error_for_a_taken_port_names_the_port(tmp_path: Path, taken: int) -> None:
    with pytest.raises(StackError, match=f"port {taken} on 127.0.0.1 is taken"):
        cluster.plan(tmp_path, brokers=1, port=taken)


def test_the_first_broker_gets_the_fixed_port(tmp_path: Path) -> None:
    port = ports.choose()

    assert cluster.plan(tmp_path, brokers=3, port=port).bootstrap_servers.startswith(f"127.0.0.1:{port},")


def test_identity_and_free_ports_are_kept(tmp_path: Path) -> None:
    first = cluster.plan(tmp_path, brokers=3, port=None)

    assert cluster.plan(tmp_path, brokers=None, port=None) == first


def test_a_port_taken_in_the_meantime_is_replaced(tmp_path: Path) -> None:
    first = cluster.plan(tmp_path, brokers=1, port=None)
    with socket.create_server((ports.HOST, first.nodes[0].port)):
        second = cluster.plan(tmp_path, brokers=1, port=None)

    assert second.id == first.id
    assert second.nodes[0].port != first.nodes[0].port


def test_data_of_one_broker_are_not_opened_with_three(tmp_path: Path) -> None:
    cluster.plan(tmp_path, brokers=1, port=None)

    with pytest.raises(ConfigurationError, match=r"holds the data of 1 broker\(s\)"):
        cluster.plan(tmp_path, brokers=3, port=None)


def test_two_brokers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="choose 1 or 3"):
        cluster.plan(tmp_path, brokers=2, port=None)


@pytest.mark.parametrize(("brokers", "replicas", "in_sync"), [(1, 1, 1), (3, 3, 2)])
def test_replication_follows_the_number_of_brokers(
    tmp_path: Path, brokers: int, replicas: int, in_sync: int
) -> None:
    planned = cluster.plan(tmp_path, brokers, port=None)
    properties = kafka.broker_properties(planned, planned.nodes[0], tmp_path)

    assert properties["min.insync.replicas"] == properties["transaction.state.log.min.isr"] == in_sync
    assert {replicas} == {value for name, value in properties.items() if name.endswith("replication.factor")}


def test_a_stack_names_its_brokers_and_shows_the_log_of_a_dead_part(tmp_path: Path) -> None:
    log = tmp_path / "kafka-2.log"
    log.write_text("early\n" * 20 + "no space left\n")
    part = Part(name="kafka-2", port=29_092, log=log, command=())
    stack = Stack(
        directory=tmp_path,
        cluster_id="",
        bootstrap_servers=f"127.0.0.1:{ports.choose()}",
        redis_url=f"redis://127.0.0.1:{ports.choose()}/0",
        parts=(part,),
    )

    assert stack.brokers == (Broker(2, 0, 29_092),)
    with pytest.raises(StackError, match=r"(?s)kafka-2 died while starting.*no space left"):
        wait_ready(stack)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("up", "--with", "mainframe"), 2),
        (("up", "--brokers", "many"), 2),
        (("status",), 1),
        (("down",), 0),
    ],
)
def test_exit_codes_without_a_stack(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["stack", *words, "--dir", str(tmp_path / "none")])
    given = 2 if isinstance(result.exception, ConfigurationError) else result.exit_code

    assert given == code
    assert not (tmp_path / "none").exists()
