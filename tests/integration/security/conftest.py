"""One broker with an authorizer and one Redis for each module that asks for them."""

from collections.abc import Iterator

import pytest

from tests.support.servers.authorizing import AuthorizingBroker
from tests.support.servers.redis_servers import RedisServer


@pytest.fixture(scope="module")
def authorizing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorizingBroker]:
    with AuthorizingBroker.running(tmp_path_factory.mktemp("authorizing") / "broker") as broker:
        yield broker


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path_factory.mktemp("authorizing") / "redis")
    yield started
    started.stop()
