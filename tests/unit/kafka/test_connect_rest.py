"""ConnectClient against a fake Kafka Connect: requests, retries and error messages."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.adapters.kafka.connect_rest import ConnectClient, Connector, load_connector
from app.errors import ConfigurationError

CONNECTOR = Connector("bank", {"tasks.max": "1"})


class Server(BaseHTTPRequestHandler):
    """Returns the prepared answers in order and repeats the last one."""

    answers: list[tuple[int, Any]]
    asked: list[tuple[str, str, Any]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, json.loads(body) if body else None))
        code, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815  # the names that the handler looks for

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[tuple[str, type[Server]]]:
    handler = type("Prepared", (Server,), {"answers": [], "asked": []})
    with HTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/", handler
        listening.shutdown()
        thread.join()


def status(connector: str, *tasks: str, trace: str = "") -> dict[str, Any]:
    task_states = [{"state": task, "trace": trace} for task in tasks]
    return {"bank": {"status": {"connector": {"state": connector}, "tasks": task_states}}}


def test_a_connector_is_put_again_while_connect_rebalances(server: Any) -> None:
    url, handler = server
    handler.answers += [(409, {"message": "rebalancing"}), (201, {})]

    ConnectClient(url).put(CONNECTOR)

    assert [("PUT", "/connectors/bank/config", {"tasks.max": "1"})] * 2 == handler.asked


def test_a_connector_runs_once_its_task_runs(server: Any) -> None:
    url, handler = server
    handler.answers += [(200, {}), (200, status("RUNNING")), (200, status("RUNNING", "RUNNING"))]

    assert ConnectClient(url).wait_running("bank").running
    assert len(handler.asked) == 3


def test_a_failed_task_is_reported_with_its_root_cause(server: Any) -> None:
    url, handler = server
    trace = "ConnectException: no\n\tat x\nCaused by: PSQLException: slot is active\n\tat y"
    handler.answers.append((200, status("RUNNING", "FAILED", trace=trace)))

    with pytest.raises(ConfigurationError, match="slot is active"):
        ConnectClient(url).wait_running("bank")


def test_a_refused_configuration_is_reported_with_its_reason(server: Any) -> None:
    url, handler = server
    handler.answers.append((400, {"message": "Connector configuration is invalid: slot.name"}))

    with pytest.raises(ConfigurationError, match=r"400 .*slot\.name"):
        ConnectClient(url).put(CONNECTOR)


@pytest.mark.parametrize("body", [[], "busy", 3, {"message": None}, {}])
def test_a_refusal_without_a_message_is_reported_with_its_status(server: Any, body: Any) -> None:
    url, handler = server
    handler.answers.append((400, body))

    with pytest.raises(ConfigurationError, match="answers 400 to PUT"):
        ConnectClient(url).put(CONNECTOR)


@pytest.mark.parametrize("ask", [ConnectClient.states, lambda client: client.put(CONNECTOR)])
def test_a_redirect_is_reported_and_not_followed(server: Any, ask: Any) -> None:
    """The configuration of a connector may hold passwords."""
    url, handler = server
    handler.answers.append((307, {"message": "go there"}))

    with pytest.raises(ConfigurationError, match="307"):
        ask(ConnectClient(url))
    assert 1 == len(handler.asked)


def test_an_unreachable_connect_is_reported_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match="stack up --with postgres,connect"):
        ConnectClient("http://127.0.0.1:1").states()
    with pytest.raises(ConfigurationError, match="not an http"):
        ConnectClient("127.0.0.1:8083")


@pytest.mark.parametrize("text", ["{", "{}", '{"name": "x", "config": {"a": 1}}'])
def test_an_error_names_a_file_without_a_connector(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"c\.json describes no connector"):
        load_connector(tmp_path / "c.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_connector(tmp_path / "missing.json")
