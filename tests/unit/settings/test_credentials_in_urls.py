"""No address holds credentials, and where one does all the same, it is shown nowhere."""

import re

import pytest
from rich.pretty import pretty_repr
from typer.testing import CliRunner

from app.adapters.kafka.connect_rest import ConnectClient
from app.adapters.redis.client import explain
from app.adapters.schema_registry.client import RegistryClient
from app.cli import app
from app.errors import ConfigurationError, RegistryAway
from app.operations.finding import failed
from app.settings import (
    KafkaSettings,
    RedisSettings,
    RegistrySettings,
    Settings,
    TracingSettings,
    setting_names,
)
from app.settings.cdc import CdcSettings
from app.settings.environment import groups_of
from app.settings.kinds import Group, is_address
from app.settings.page import markdown

SECRET = "canary-secret"  # noqa: S105  # searched for where it must not be
ADDRESSES = [name for name, _ in setting_names() if is_address(name.split("_", 2)[2].lower())]


def test_every_setting_with_an_address_is_known_as_one() -> None:
    """By its documentation, which shows the form of an address."""
    rows = re.findall(r"^\| `(FRAUDSTREAM_\w+)` (.*)$", markdown(), re.MULTILINE)
    described = {name for name, text in rows if re.search(r"`\w+://|`host:port`|`http://", text)}

    assert described <= set(ADDRESSES) | {"FRAUDSTREAM_DEPLOYMENT_STAGE"}
    assert 6 <= len(ADDRESSES)


@pytest.mark.parametrize("setting", ADDRESSES)
@pytest.mark.parametrize(
    "address",
    [
        f"http://risk:{SECRET}@host:80/path",
        f"https://{SECRET}@host",
        f"rediss://:{SECRET}@host:6380/0",
        f"risk:{SECRET}@host:9092",
        f"http://risk:{SECRET}/x@host",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(setting: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match=setting) as refused:
        Settings.from_env({setting: address})

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("words", [["settings"], ["settings", "--json"]])
def test_the_command_settings_shows_no_key_of_a_query(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDSTREAM_TRACING_OTLP_URL", f"https://host/v1/traces?key={SECRET}")
    monkeypatch.setenv("FRAUDSTREAM_CDC_CONNECT_URL", f"https://host/?key={SECRET}")
    shown = CliRunner().invoke(app, words).output

    assert "https://host/v1/traces?***" in shown
    assert SECRET not in shown


URL = f"http://risk:{SECRET}@127.0.0.1:1/path?key={SECRET}"
GROUPS = [
    KafkaSettings(bootstrap_servers=URL, oauth_token_url=URL),
    RedisSettings(url=URL),
    RegistrySettings(url=URL),
    TracingSettings(otlp_url=URL),
    CdcSettings(connect_url=URL),
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: type(group).__name__)
def test_a_repr_holds_no_credentials(group: Group) -> None:
    for shown in (repr(group), str(group), f"{group}", pretty_repr(group)):
        assert SECRET not in shown
        assert "127.0.0.1" in shown


def test_every_group_has_this_repr() -> None:
    assert all(issubclass(group, Group) for _, group in groups_of(Settings))
    assert SECRET not in repr(Settings(redis=RedisSettings(url=URL)))
    assert SECRET not in pretty_repr(Settings(redis=RedisSettings(url=URL)))


def test_no_error_of_a_client_holds_credentials() -> None:
    with pytest.raises(ConfigurationError) as of_connect:
        ConnectClient(URL).states()
    with pytest.raises(RegistryAway) as of_registry:
        RegistryClient(RegistrySettings(url=URL)).require()
    of_redis = explain(RedisSettings(url=URL), OSError("no"))
    of_doctor = failed("redis", f"{URL} does not answer", f"correct {URL}")

    for shown in (str(of_connect.value), str(of_registry.value), of_redis, of_doctor.found, of_doctor.remedy):
        assert SECRET not in shown
