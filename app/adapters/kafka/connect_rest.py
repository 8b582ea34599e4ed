"""A client of Kafka Connect's REST interface: create, change, delete and inspect connectors."""

import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request

import msgspec

from app.adapters.http_request import StatusRefused, ask
from app.domain.safe_text import without_credentials
from app.domain.words import named
from app.domain.wrong_value import wrong_value
from app.errors import ConfigurationError

ANSWER_SECONDS = 90
"""Timeout of one request. Connect checks the database before it accepts a connector."""
RUNNING_SECONDS = 120
POLL_SECONDS = 0.5


class Connector(msgspec.Struct, frozen=True):
    """Content of a file in deploy/connect, in the form of `POST /connectors`."""

    name: str
    config: dict[str, str]


class ConnectorState(msgspec.Struct, frozen=True):
    """The states of a connector and of its tasks, as Kafka Connect names them."""

    name: str
    connector: str
    tasks: list[str]
    why: str = ""
    """The root cause of a failure, one line; empty when there is none."""

    @property
    def running(self) -> bool:
        return self.connector == "RUNNING" and bool(self.tasks) and set(self.tasks) == {"RUNNING"}

    @property
    def failed(self) -> bool:
        return "FAILED" in {self.connector, *self.tasks}


class ConnectClient:
    """One cluster of Kafka Connect. Every method raises ConfigurationError when it does not answer or refuses."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(
                "FRAUDSTREAM_CDC_CONNECT_URL is not an http:// or https:// address. Give one."
            )
        self._url = url.rstrip("/")
        self._shown_url = without_credentials(self._url)

    def put(self, connector: Connector) -> None:
        """Create the connector, or change its configuration."""
        path = f"/connectors/{quote(connector.name, safe='')}/config"
        deadline = time.monotonic() + ANSWER_SECONDS
        while (
            self._ask("PUT", path, connector.config) is None
        ):  # a rebalance of Connect's workers is under way
            if time.monotonic() > deadline:
                raise ConfigurationError(f"{self._shown_url} keeps rebalancing. Look at Kafka Connect's log.")
            time.sleep(POLL_SECONDS)

    def delete(self, name: str) -> None:
        self._ask("DELETE", f"/connectors/{quote(name, safe='')}")

    def states(self) -> list[ConnectorState]:
        """The state of every connector, ordered by name."""
        found = self._ask("GET", "/connectors?expand=status") or {}
        return [_state(name, about["status"]) for name, about in sorted(found.items())]

    def wait_running(self, name: str, seconds: float = RUNNING_SECONDS) -> ConnectorState:
        """Wait until the connector and its tasks run. Raises ConfigurationError when one fails or time runs out."""
        deadline = time.monotonic() + seconds
        while True:
            state = next(
                (state for state in self.states() if state.name == name), ConnectorState(name, "UNKNOWN", [])
            )
            if state.running:
                return state
            if state.failed or time.monotonic() > deadline:
                raise ConfigurationError(
                    f"connector {name} is {state.connector}, its tasks {state.tasks}. {state.why or 'Look at its log.'}"
                )
            time.sleep(POLL_SECONDS)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of the answer; None for status 409, after which the request must be repeated."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310  # __init__ checks the scheme
            self._url + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            return json.loads(ask(request, ANSWER_SECONDS) or b"{}")
        except StatusRefused as error:
            if error.code == HTTPStatus.CONFLICT:
                return None
            raise ConfigurationError(
                f"{self._shown_url} answers {error.code} to {method} {path}: {_reason(error)}"
            ) from None
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"Kafka Connect does not answer at FRAUDSTREAM_CDC_CONNECT_URL={self._shown_url} ({named(error)}). "
                "`fraudstream stack up --with postgres,connect` starts one on this machine."
            ) from None


def load_connector(path: Path) -> Connector:
    """The connector in a JSON file. Raises ConfigurationError, which names the file, when there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connector)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{path} describes no connector: {wrong_value(error, Connector)}. Correct the file."
        ) from error


def _state(name: str, status: dict[str, Any]) -> ConnectorState:
    parts = [status["connector"], *status["tasks"]]
    traces = [part["trace"].splitlines() for part in parts if part.get("trace")]
    causes = [line for trace in traces for line in trace if line.startswith("Caused by: ")]
    why = causes[-1] if causes else traces[0][0] if traces else ""
    return ConnectorState(
        name, status["connector"]["state"], [task["state"] for task in status["tasks"]], why
    )


def _reason(error: StatusRefused) -> str:
    try:
        return str(json.loads(error.body)["message"]).strip()
    except (ValueError, KeyError, TypeError, RecursionError):
        return error.reason
