"""A broker that authenticates clients: TLS, mTLS, SCRAM and OAUTHBEARER listeners beside the plain one."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Self

from app.local import cluster, kafka, ports
from app.local.java import jars
from app.settings import KafkaSettings
from tests.support.servers.certificates import Authority

USER, PASSWORD = "risk", "canary-password-7Qx"
CLIENT, SECRET = "risk-client", "canary-client-secret-9Zk"
START_SECONDS = 120
POLL_SECONDS = 0.1
LISTENERS = {"TLS": "SSL", "MTLS": "SSL", "SCRAM": "SASL_SSL", "OAUTH": "SASL_SSL"}


class SecuredBroker:
    """A broker process with one port for each kind of authentication."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.authority = Authority(directory / "authority")
        self.broker = self.authority.issue("broker", "IP:127.0.0.1")
        self.client = self.authority.issue("client", "DNS:client")
        self.password_file = self._secret("password", PASSWORD)
        self.secret_file = self._secret("client-secret", SECRET)
        self.planned = cluster.plan(directory, 1, None)
        self.addresses = {name: f"127.0.0.1:{ports.choose()}" for name in LISTENERS}
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def running(cls, directory: Path) -> Iterator[Self]:
        """A broker that serves, until the end of the block."""
        started = cls(directory)
        try:
            started.start()
            yield started
        finally:
            started.stop()

    @property
    def bootstrap_servers(self) -> str:
        """The plain listener, for the tests' own reads."""
        return self.planned.bootstrap_servers

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        (self.directory / "logs").mkdir()
        (part,) = kafka.parts(
            self.directory, self.planned, jars.ensure(jars.cache_directory()), self._listeners()
        )
        with part.log.open("ab") as output:
            self._process = subprocess.Popen(part.command, stdout=output, stderr=output)  # noqa: S603  # the command is our own list of words
        deadline = time.monotonic() + START_SECONDS
        while "Kafka Server started" not in part.log.read_text(errors="replace"):
            alive = self._process.poll() is None and time.monotonic() < deadline
            assert alive, part.log.read_text()[-4000:]
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def tls(self, **changes: Any) -> KafkaSettings:
        return self._settings("TLS", security_protocol="tls", **changes)

    def mutual_tls(self, **changes: Any) -> KafkaSettings:
        certificate = {"tls_cert_file": str(self.client.certificate), "tls_key_file": str(self.client.key)}
        return self._settings("MTLS", security_protocol="tls", **(certificate | changes))

    def scram(self, **changes: Any) -> KafkaSettings:
        who = {"sasl_username": USER, "sasl_password_file": str(self.password_file)}
        return self._settings("SCRAM", security_protocol="sasl_tls", **(who | changes))

    def oauth(self, token_url: str, **changes: Any) -> KafkaSettings:
        who = {"oauth_client_id": CLIENT, "oauth_client_secret_file": str(self.secret_file)}
        return self._settings(
            "OAUTH",
            security_protocol="sasl_tls",
            sasl_mechanism="OAUTHBEARER",
            oauth_token_url=token_url,
            **(who | changes),
        )

    def _settings(self, listener: str, **given: Any) -> KafkaSettings:
        common: dict[str, Any] = {
            "bootstrap_servers": self.addresses[listener],
            "tls_ca_file": str(self.authority.certificate),
            "session_timeout_seconds": 6.0,
            "produce_timeout_seconds": 4.0,
        }
        return KafkaSettings(**(common | given))

    def _secret(self, name: str, content: str) -> Path:
        file = self.directory / name
        file.write_text(content + "\n", encoding="utf-8")
        return file

    def _listeners(self) -> kafka.Listeners:
        (node,) = self.planned.nodes
        plain = kafka.broker_properties(self.planned, node, self.directory)
        secured = ",".join(f"{name}://{address}" for name, address in self.addresses.items())
        login = "org.apache.kafka.common.security"
        return kafka.Listeners(
            properties={
                "listeners": f"{plain['listeners']},{secured}",
                "advertised.listeners": f"{plain['advertised.listeners']},{secured}",
                "listener.security.protocol.map": ",".join(
                    [
                        str(plain["listener.security.protocol.map"]),
                        *(f"{name}:{protocol}" for name, protocol in LISTENERS.items()),
                    ]
                ),
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": self.broker.both,
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": self.authority.certificate,
                "listener.name.mtls.ssl.client.auth": "required",
                "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
                "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
                "listener.name.oauth.oauthbearer.sasl.jaas.config": (
                    f'{login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
                ),
            },
            format_options=["--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"],
        )


@contextmanager
def token_server(lives_seconds: int = 300) -> Iterator[tuple[str, list[int]]]:
    """The URL and the status codes of a token server. It accepts one client and issues unsigned tokens, which a broker
    without an identity provider accepts.
    """
    answers: list[int] = []
    known = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            code = 200 if self.headers["Authorization"] == known else 401
            answers.append(code)
            self.send_response(code)
            self.end_headers()
            token = {"access_token": unsigned_token(lives_seconds), "expires_in": lives_seconds}
            self.wfile.write(json.dumps(token if code == 200 else {}).encode())

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def unsigned_token(lives_seconds: int) -> str:
    now = time.time()
    claims = {"sub": USER, "iat": now, "exp": now + lives_seconds}
    return ".".join([_part({"alg": "none"}), _part(claims), ""])


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
