"""Identity, ports and broker configuration are kept over `stack down` and `stack up`."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.errors import ConfigurationError, StackError
from app.local import cluster, kafka, ports, state
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


def test_no_two_parts_get_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens on a chosen port yet when the next one is chosen."""
    monkeypatch.setattr(ports, "HIGHEST", ports.LOWEST + 40)
    monkeypatch.setattr(ports, "_chosen", set())
    chosen = [ports.choose() for _ in range(15)]

    assert len(set(chosen)) == len(chosen)


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


@pytest.mark.parametrize("brokers", [1, 3])
def test_the_brokers_folders_tell_the_cluster_whose_file_is_cut(tmp_path: Path, brokers: int) -> None:
    """A new identity would make their data unusable."""
    first = cluster.plan(tmp_path, brokers, port=None)
    file = tmp_path / cluster.FILE
    for node in first.nodes:
        data = tmp_path / f"kafka-{node.id}" / "data"
        data.mkdir(parents=True)
        (data / "meta.properties").write_text(f"#\ncluster.id={first.id}\nnode.id={node.id}\nversion=1\n")
    complete = file.read_bytes()
    for size in range(0, len(complete), 10):
        file.write_bytes(complete[:size])
        again = cluster.plan(tmp_path, None, port=None)

        assert again.id == first.id
        assert [node.id for node in again.nodes] == [node.id for node in first.nodes]


def test_a_cut_file_without_data_is_replaced(tmp_path: Path) -> None:
    (tmp_path / cluster.FILE).write_bytes(b"")

    assert len(cluster.plan(tmp_path, 1, port=None).nodes) == 1


def test_brokers_that_do_not_tell_one_cluster_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / cluster.FILE).write_bytes(b"")
    data = tmp_path / "kafka-1" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_bytes(b"")

    with pytest.raises(StackError, match=r"Give another --dir; the data here stays as it is"):
        cluster.plan(tmp_path, 1, port=None)
    assert (tmp_path / cluster.FILE).read_bytes() == b""


def test_a_cut_list_of_processes_is_never_taken_for_a_stack_that_is_down(tmp_path: Path) -> None:
    stack = Stack(directory=tmp_path, cluster_id="c", bootstrap_servers="", redis_url="", parts=())
    state.save(stack)
    complete = (tmp_path / state.FILE).read_bytes()
    assert state.load(tmp_path) == stack
    for size in range(len(complete) - 1):
        (tmp_path / state.FILE).write_bytes(complete[:size])
        with pytest.raises(StackError, match=r"The data of the stack stays where it is"):
            state.load(tmp_path)
