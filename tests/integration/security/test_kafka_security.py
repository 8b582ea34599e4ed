"""Every kind of authentication with every client, and every wrong credential, against a real broker."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from app.adapters.kafka.admin import connect
from app.adapters.kafka.client.closing import CLOSE_SECONDS
from app.adapters.kafka.cluster import read_cluster
from app.adapters.kafka.security import client_options
from app.adapters.kafka.tail_reader import open_tail_reader
from app.errors import ConfigurationError
from app.settings import KafkaSettings, Settings
from app.settings import values as setting_values
from app.topics import provisioning
from app.traffic.produce import produce
from tests.support.deployment import Deployment, check_guarantee
from tests.support.servers.certificates import Authority
from tests.support.servers.secured import PASSWORD, SECRET, SecuredBroker, token_server
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

REFUSED = 2
EVENTS = 300
FAREWELL_SECONDS = 0.5
BUSY_SECONDS = 5.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with SecuredBroker.running(tmp_path_factory.mktemp("secured") / "broker") as started:
        yield started


def environment(kafka: KafkaSettings) -> dict[str, str]:
    """A deployment whose workers use ``kafka``; the test's own reads use the plain listener."""
    return {
        name: str(value)
        for name, value in setting_values(Settings(kafka=kafka)).items()
        if name.startswith("FRAUDSTREAM_KAFKA_")
    }


async def work(broker: SecuredBroker, kafka: KafkaSettings, models: Path, directory: Path) -> None:
    """Topics made, traffic sent and read, decided by a worker that then loses its disk and restores."""
    deployment = Deployment(broker, directory, models, partitions=2)
    secured = msgspec.structs.replace(deployment.settings, kafka=kafka)
    topic = secured.topics.transactions
    worker = deployment.worker(**environment(kafka))
    try:
        await provisioning.ensure(secured)
        worker.start()
        await produce(traffic(EVENTS, seed=1), topic=topic, kafka=kafka)
        await deployment.drained()
        worker.kill()
        worker.data_dir.rename(directory / "lost")
        worker.start()
        await produce(traffic(EVENTS, seed=2), topic=topic, kafka=kafka)
        await deployment.drained()
        assert worker.terminate() == 0
        await check_guarantee(deployment, worker)
        async with open_tail_reader(kafka, [topic], from_beginning=True) as reader:
            assert (await anext(aiter(reader.batches())))[0].value
    finally:
        deployment.clear_up()
    for secret in (PASSWORD, SECRET):
        assert secret not in worker.text()


@pytest.mark.slow
async def test_a_worker_over_tls(broker: SecuredBroker, models: Path, tmp_path: Path) -> None:
    await work(broker, broker.tls(), models, tmp_path)


async def test_the_monitor_sees_the_cluster_by_every_way_in(broker: SecuredBroker) -> None:
    with token_server() as (url, _):
        ways = [broker.tls(), broker.mutual_tls(), broker.scram(), broker.oauth(url)]
        states = [await read_cluster(kafka) for kafka in ways]

    assert [1] * len(ways) == [len(state.brokers[0].log_dirs) for state in states]


@pytest.mark.slow
async def test_a_worker_with_a_certificate(broker: SecuredBroker, models: Path, tmp_path: Path) -> None:
    await work(broker, broker.mutual_tls(), models, tmp_path)


async def test_a_worker_with_a_password(broker: SecuredBroker, models: Path, tmp_path: Path) -> None:
    await work(broker, broker.scram(), models, tmp_path)


async def test_a_worker_with_tokens(broker: SecuredBroker, models: Path, tmp_path: Path) -> None:
    with token_server() as (url, answers):
        await work(broker, broker.oauth(url), models, tmp_path)
    assert set(answers) == {200}


def test_a_broker_that_reads_the_end_of_a_connection_together_with_a_request_delays_no_stop(
    broker: SecuredBroker,
) -> None:
    """It forgets that the connection is closed. uvloop, the loop of workers, then waits 30 s; that of asyncio does not."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(close_with_a_request(broker))


async def close_with_a_request(broker: SecuredBroker) -> None:
    """Close a client whose broker is paused meanwhile; a busy one reads as late."""
    client = AIOKafkaClient(**client_options(broker.tls()))
    await client.bootstrap()
    node = client.get_random_node()
    assert await client.ready(node)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        asking = asyncio.create_task(client.send(node, MetadataRequest([])))
        await asyncio.sleep(0.1)
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0.1)
    finally:
        os.kill(broker.pid, signal.SIGCONT)

    async with asyncio.timeout(CLOSE_SECONDS + BUSY_SECONDS):
        await closing
    with suppress(KafkaError):  # of a request that was not answered
        await asking


async def refusal(kafka: KafkaSettings) -> str:
    with pytest.raises(ConfigurationError) as refused:
        async with connect(kafka):
            pass
    for secret in (PASSWORD, SECRET, "a-wrong-one"):
        assert secret not in str(refused.value)
    # A refused connection closes by TLS's farewell, for which the loop must still be there.
    await asyncio.sleep(FAREWELL_SECONDS)
    return str(refused.value)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A file with a wrong secret."""
    file = tmp_path / "wrong"
    file.write_text("a-wrong-one")
    return file


async def test_an_unknown_authority_is_refused(broker: SecuredBroker, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    message = await refusal(broker.tls(tls_ca_file=str(other.certificate)))
    assert "not trusted" in message
    assert "FRAUDSTREAM_KAFKA_TLS_CA_FILE" in message


async def test_a_certificate_for_another_host_name_is_refused(broker: SecuredBroker) -> None:
    by_name = broker.addresses["TLS"].replace("127.0.0.1", "localhost")
    message = await refusal(broker.tls(bootstrap_servers=by_name))
    assert "for another host" in message
    assert "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS" in message


async def test_a_missing_client_certificate_is_refused(broker: SecuredBroker) -> None:
    message = await refusal(broker.mutual_tls(tls_cert_file="", tls_key_file=""))
    assert "FRAUDSTREAM_KAFKA_TLS_CERT_FILE" in message


async def test_a_client_certificate_of_another_authority_is_refused(
    broker: SecuredBroker, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "other").issue("stranger", "DNS:stranger")
    message = await refusal(
        broker.mutual_tls(tls_cert_file=str(stranger.certificate), tls_key_file=str(stranger.key))
    )
    assert "FRAUDSTREAM_KAFKA_TLS_CERT_FILE" in message


async def test_a_wrong_password_is_refused(broker: SecuredBroker, wrong: Path) -> None:
    message = await refusal(broker.scram(sasl_password_file=str(wrong)))
    assert "FRAUDSTREAM_KAFKA_SASL_PASSWORD_FILE" in message


async def test_a_wrong_client_secret_is_refused(broker: SecuredBroker, wrong: Path) -> None:
    with token_server() as (url, answers):
        message = await refusal(broker.oauth(url, oauth_client_secret_file=str(wrong)))
    assert "HTTP 401" in message
    assert 200 not in answers


async def test_a_mechanism_that_is_not_offered_is_refused(broker: SecuredBroker) -> None:
    message = await refusal(broker.scram(bootstrap_servers=broker.addresses["OAUTH"]))
    assert "FRAUDSTREAM_KAFKA_SASL_MECHANISM" in message


async def test_a_missing_file_is_reported(broker: SecuredBroker, tmp_path: Path) -> None:
    message = await refusal(broker.scram(sasl_password_file=str(tmp_path / "absent")))
    assert "FRAUDSTREAM_KAFKA_SASL_PASSWORD_FILE" in message
    assert "No such file" in message


def test_a_worker_with_a_wrong_password_is_refused(
    broker: SecuredBroker, models: Path, tmp_path: Path, wrong: Path
) -> None:
    kafka = broker.scram(sasl_password_file=str(wrong))
    worker = Deployment(broker, tmp_path, models).worker(**environment(kafka))
    worker.start()

    assert worker.wait() == REFUSED
    assert "FRAUDSTREAM_KAFKA_SASL_PASSWORD_FILE" in worker.text()
    assert "Traceback" not in worker.text()
    assert "a-wrong-one" not in worker.text()
