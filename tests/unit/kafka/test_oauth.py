"""Tokens are used as long as they are good; that there is none is told as an error after which aiokafka tries again."""

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


def test_aiokafka_takes_them_for_its_own() -> None:
    assert issubclass(Tokens, AbstractTokenProvider)
    assert issubclass(NoToken, OSError), "aiokafka goes on after those"


async def test_a_token_is_asked_for_again_when_four_fifths_of_its_life_are_over() -> None:
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


async def test_a_server_that_is_away_is_no_end() -> None:
    tokens = fetched(f"http://127.0.0.1:{ports.choose()}/token")

    for _ in range(2):
        with pytest.raises(NoToken, match="FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL") as none:
            await tokens.token()
        assert SECRET not in str(none.value)


async def test_a_wrong_secret_is_not_told() -> None:
    with token_server() as (url, _), pytest.raises(NoToken, match="HTTP 401") as none:
        await fetched(url, "a-wrong-one").token()
    assert "a-wrong-one" not in str(none.value)


async def test_a_file_is_read_anew_each_time_and_may_be_away_for_a_while(tmp_path: Path) -> None:
    file = tmp_path / "token"
    tokens = FileTokens(lambda: read_file("OAUTH_TOKEN_FILE", str(file)))
    with pytest.raises(NoToken, match="FRAUDSTREAM_KAFKA_OAUTH_TOKEN_FILE"):
        await tokens.token()
    for text in ("first", "second"):
        file.write_text(text)
        assert text == await tokens.token()
