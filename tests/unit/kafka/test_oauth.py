"""Tokens are cached while valid; a missing token raises an error after which aiokafka retries."""

from pathlib import Path

import pytest
from aiokafka.abc import AbstractTokenProvider

from app.adapters.kafka.oauth import FetchedTokens, FileTokens, NoToken, Tokens
from app.adapters.kafka.security import read_file
from app.local import ports
from tests.support.servers.secured import CLIENT, SECRET, token_server
from tests.unit.clock import Clock


def fetched(url: str, secret: str = SECRET, clock: Clock | None = None) -> FetchedTokens:
    return FetchedTokens(url, CLIENT, lambda: secret, None, clock or Clock())


def test_token_types_satisfy_aiokafka() -> None:
    assert issubclass(Tokens, AbstractTokenProvider)
    assert issubclass(NoToken, OSError), "aiokafka retries after an OSError"


async def test_a_token_is_fetched_again_after_four_fifths_of_its_lifetime() -> None:
    clock = Clock()
    with token_server(lives_seconds=100) as (url, answers):
        tokens = fetched(url, clock=clock)
        first = await tokens.token()
        clock.seconds = 79.9
        assert first == await tokens.token()
        assert [200] == answers
        clock.seconds = 80.0
        await tokens.token()
        assert [200, 200] == answers


async def test_an_unreachable_token_server_is_retried() -> None:
    tokens = fetched(f"http://127.0.0.1:{ports.choose()}/token")

    for _ in range(2):
        with pytest.raises(NoToken, match="FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL") as none:
            await tokens.token()
        assert SECRET not in str(none.value)


async def test_a_wrong_secret_does_not_appear_in_the_error() -> None:
    with token_server() as (url, _), pytest.raises(NoToken, match="HTTP 401") as none:
        await fetched(url, "a-wrong-one").token()
    assert "a-wrong-one" not in str(none.value)


async def test_a_token_file_is_read_each_time_and_may_be_missing_for_a_while(tmp_path: Path) -> None:
    file = tmp_path / "token"
    tokens = FileTokens(lambda: read_file("OAUTH_TOKEN_FILE", str(file)))
    with pytest.raises(NoToken, match="FRAUDSTREAM_KAFKA_OAUTH_TOKEN_FILE"):
        await tokens.token()
    for text in ("first", "second"):
        file.write_text(text)
        assert text == await tokens.token()
