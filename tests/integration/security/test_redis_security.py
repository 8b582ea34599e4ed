"""Every way to Redis, and every wrong key: against a real server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.adapters.redis.client import FAILURES, connect, explain
from app.errors import ConfigurationError
from app.settings import RedisSettings
from tests.support.servers.certificates import Authority, Issued
from tests.support.servers.redis_servers import RedisServer, tls_in_front

pytestmark = pytest.mark.integration

PASSWORD = "canary-redis-password-4Tz"  # noqa: S105  # of the test's own server
TIMEOUT_SECONDS = 10.0
FAREWELL_SECONDS = 0.5


class Secured:
    """A server that asks for a password, behind TLS and, on another port, behind TLS that asks for a certificate."""

    def __init__(self, directory: Path) -> None:
        self.server = RedisServer(directory / "redis", PASSWORD)
        self.authority = Authority(directory / "authority")
        self.client = self.authority.issue("client", "DNS:client")
        self.password_file = directory / "password"
        self.password_file.write_text(PASSWORD + "\n", encoding="utf-8")
        self.plain_port = self.server.port
        self.tls_port = self.mutual_port = 0

    def certificate(self) -> Issued:
        return self.authority.issue("redis", "IP:127.0.0.1")

    def settings(self, url: str, **changes: Any) -> RedisSettings:
        given: dict[str, Any] = {
            "url": url,
            "password_file": str(self.password_file),
            "tls_ca_file": str(self.authority.certificate),
            "connect_timeout_seconds": TIMEOUT_SECONDS,
        }
        return RedisSettings(**(given | changes))

    def tls(self, **changes: Any) -> RedisSettings:
        return self.settings(f"rediss://127.0.0.1:{self.tls_port}/0", **changes)

    def mutual(self, **changes: Any) -> RedisSettings:
        return self.settings(f"rediss://127.0.0.1:{self.mutual_port}/0", **changes)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    made = Secured(tmp_path_factory.mktemp("secured-redis"))
    certificate = made.certificate()
    try:
        with (
            tls_in_front(made.server.port, certificate) as made.tls_port,
            tls_in_front(made.server.port, certificate, made.authority.certificate) as made.mutual_port,
        ):
            yield made
    finally:
        made.server.stop()


async def ask(settings: RedisSettings) -> bool:
    client = connect(settings, TIMEOUT_SECONDS)
    try:
        return bool(await client.set("key", "value")) and await client.get("key") == b"value"
    finally:
        await client.aclose()


async def refusal(settings: RedisSettings) -> str:
    with pytest.raises(FAILURES) as refused:
        await ask(settings)
    # A refused connection closes by TLS's farewell, for which the loop must still be there.
    await asyncio.sleep(FAREWELL_SECONDS)
    why = explain(settings, refused.value)
    assert PASSWORD not in why
    return why


async def test_a_password_over_tls(secured: Secured) -> None:
    assert await ask(secured.tls())


async def test_a_client_certificate_is_accepted(secured: Secured) -> None:
    identity = {"tls_cert_file": str(secured.client.certificate), "tls_key_file": str(secured.client.key)}

    assert await ask(secured.mutual(**identity))


async def test_a_missing_client_certificate_is_refused(secured: Secured) -> None:
    assert "FRAUDSTREAM_REDIS_" in await refusal(secured.mutual())


async def test_a_user_of_an_acl(secured: Secured) -> None:
    with secured.server.client() as client:
        client.acl_setuser("risk", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all"])
        client.acl_setuser("reader", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+get"])

    assert await ask(secured.tls(username="risk"))
    assert "FRAUDSTREAM_REDIS_USERNAME=reader" in await refusal(secured.tls(username="reader"))


async def test_an_untrusted_authority_is_refused(secured: Secured, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")

    assert "FRAUDSTREAM_REDIS_TLS_CA_FILE" in await refusal(secured.tls(tls_ca_file=str(other.certificate)))


async def test_a_certificate_outside_the_systems_authorities_is_refused(secured: Secured) -> None:
    assert "FRAUDSTREAM_REDIS_TLS_CA_FILE" in await refusal(secured.tls(tls_ca_file=""))


async def test_a_certificate_for_another_host_is_refused(secured: Secured) -> None:
    """It is for 127.0.0.1; localhost leads to the same server."""
    url = f"rediss://localhost:{secured.tls_port}/0"

    assert "for another host" in await refusal(secured.settings(url))


async def test_a_wrong_password_is_refused(secured: Secured, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("canary-wrong", encoding="utf-8")

    why = await refusal(secured.tls(password_file=str(wrong)))
    assert f"FRAUDSTREAM_REDIS_PASSWORD_FILE={wrong}" in why
    assert "canary-wrong" not in why


async def test_a_missing_password_is_refused(secured: Secured) -> None:
    assert "FRAUDSTREAM_REDIS_PASSWORD_FILE=(not set)" in await refusal(secured.tls(password_file=""))


async def test_tls_to_a_plain_port_is_refused(secured: Secured) -> None:
    url = f"rediss://127.0.0.1:{secured.plain_port}/0"

    assert "FRAUDSTREAM_REDIS_URL" in await refusal(
        msgspec.structs.replace(secured.settings(url), connect_timeout_seconds=1.0)
    )


@pytest.mark.parametrize("setting", ["password_file", "tls_ca_file", ("tls_cert_file", "tls_key_file")])
async def test_a_missing_file_is_reported_by_its_setting(
    secured: Secured, tmp_path: Path, setting: str | tuple[str, ...]
) -> None:
    names = (setting,) if isinstance(setting, str) else setting
    missing = str(tmp_path / "missing")

    with pytest.raises(ConfigurationError, match=f"FRAUDSTREAM_REDIS_{names[0].upper()}={missing}"):
        connect(secured.tls(**dict.fromkeys(names, missing)), TIMEOUT_SECONDS)


async def test_an_unreachable_redis_is_reported() -> None:
    settings = RedisSettings(url="redis://127.0.0.1:1/0")

    assert "FRAUDSTREAM_REDIS_URL=redis://127.0.0.1:1/0" in await refusal(settings)
