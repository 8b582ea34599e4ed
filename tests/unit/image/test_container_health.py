"""The health check of the image: only workers are asked, on the port on which they listen."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.operations.container_health import is_worker, listening, main

SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"all is well" if self.path == "/livez" else b"who asks"
        self.send_response(int(sys.argv[2]) if self.path == "/livez" else 404)
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer((sys.argv[1], 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
"""
SLEEPING = "import time; print(0, flush=True); time.sleep(600)"

SILENT = """
import socket

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    asked = listener.accept()[0]
    asked.recv(4096)  # closing before that is a reset, which is another error
    asked.close()
"""


class Container:
    """A folder of processes, as /proc in a container."""

    def __init__(self, processes: Path, ended: ExitStack) -> None:
        self.processes = processes
        self._ended = ended

    def runs(self, program: str, *words: str) -> int:
        """Start a program; return the port that it prints."""
        command = [sys.executable, "-c", program, *words]
        process = self._ended.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))  # noqa: S603  # our own
        self._ended.callback(process.kill)
        assert process.stdout is not None
        (self.processes / str(process.pid)).symlink_to(f"/proc/{process.pid}")
        return int(process.stdout.readline())


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    with ExitStack() as ended:
        yield Container(tmp_path, ended)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  # as in a pod
def test_a_worker_is_asked_on_whatever_port_it_listens(
    host: str, container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    container.runs(SERVER, host, "200", "fraudstream", "worker", "--role", "crm")
    assert (main(container.processes), capsys.readouterr().out) == (0, "ok\n")

    port = container.runs(SERVER, host, "503", "faust", "-A", "app.worker", "worker")
    assert main(container.processes) == 1
    assert capsys.readouterr().out == f"http://127.0.0.1:{port}/livez: 503 all is well\n"


def test_another_command_is_healthy_whatever_it_serves(container: Container) -> None:
    container.runs(SERVER, "127.0.0.1", "503", "fraudstream", "monitor", "--serve")

    assert main(container.processes) == 0


def test_a_worker_without_endpoints_is_healthy(container: Container) -> None:
    container.runs(SLEEPING, "fraudstream", "worker")

    assert main(container.processes) == 0


def test_a_worker_that_does_not_answer_is_not_healthy(
    container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    port = container.runs(SILENT, "fraudstream", "worker")

    assert main(container.processes) == 1
    assert f":{port}/livez: remote disconnected" in capsys.readouterr().out


def test_a_process_that_has_ended_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "17").symlink_to("/proc/does-not-exist")

    assert main(tmp_path) == 0


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/opt/fraudstream/bin/python /opt/fraudstream/bin/fraudstream worker", True),
        ("fraudstream worker --role analytics", True),
        ("python -m faust -A app.worker worker -l info", True),
        ("fraudstream monitor --serve", False),
        ("fraudstream topics ensure", False),
        ("python -m app.operations.container_health", False),
        ("celery worker", False),
        ("", False),
    ],
)
def test_a_worker_is_recognized_by_its_words(command: str, expected: bool) -> None:
    assert expected is is_worker(command.split(" "))


def test_addresses_are_read_as_the_kernel_prints_them() -> None:
    if sys.byteorder != "little":
        pytest.skip(
            "the sample of /proc/net/tcp is of a little-endian machine, where the kernel prints addresses reversed"
        )
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    line = "   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n"
    table = head + "".join(
        line.format(address=address, state=state, inode=inode)
        for address, state, inode in (
            ("0100007F:24F8", "0A", 1),
            ("0105000A:24F8", "0A", 2),
            ("00000000:24F9", "0A", 3),
            ("00000000000000000000000000000000:24FA", "0A", 4),
            ("0000000000000000FFFF00000100007F:24FB", "0A", 5),
            ("0100007F:24FC", "01", 6),  # a connection
            ("0100007F:24FD", "0A", 7),  # of another process
        )
    )

    assert list(listening(table, set("123456"))) == [
        ("127.0.0.1", 9464),
        ("10.0.5.1", 9464),
        ("127.0.0.1", 9465),
        ("::1", 9466),
        ("127.0.0.1", 9467),
    ]


def test_it_starts_quickly() -> None:
    """It runs beside a worker that has one core: nothing that takes long to import."""
    program = "import sys; from app.operations import container_health; print(*sorted(sys.modules))"
    result = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=dict(os.environ)
    )

    assert not {"numpy", "typer", "rich", "msgspec", "faust"} & set(result.stdout.split())
