"""The settings of the role cases: no secrets in the address, bounds that fit together, a verified connection in production."""

import pytest

from app.errors import ConfigurationError
from app.settings import Settings

URL = {"FRAUDSTREAM_CASES_DATABASE_URL": "postgresql://db:5432/bank"}


def test_the_address_of_a_database_is_accepted() -> None:
    assert "postgresql://db:5432/bank" == Settings.from_env(URL).cases.database_url


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:secret@db/bank", "http://db/bank", "postgresql://db", "postgresql:///bank", "postgresql://db:99999/bank", "postgresql://db/bank?sslmode=disable"],
)  # fmt: skip
def test_another_address_is_refused_and_no_secret_is_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_CASES_DATABASE_URL") as caught:
        Settings.from_env({"FRAUDSTREAM_CASES_DATABASE_URL": url})

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("schema", ["", "Upper", "a-b", "a;b", "1a", "a" * 64])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_CASES_DATABASE_SCHEMA"):
        Settings.from_env({"FRAUDSTREAM_CASES_DATABASE_SCHEMA": schema})


def test_a_worker_of_the_role_may_not_wait_longer_than_it_may_stall() -> None:
    waits = {"FRAUDSTREAM_CASES_DATABASE_WAIT_SECONDS": "60"}

    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_WORKER_STALL_SECONDS"):
        Settings.from_env(waits | {"FRAUDSTREAM_WORKER_ROLE": "cases"})
    assert 60 == Settings.from_env(waits).cases.database_wait_seconds


@pytest.mark.parametrize(
    ("missing", "named"), [("TLS_CA_FILE", "FRAUDSTREAM_CASES_TLS_CA_FILE"), ("PASSWORD_FILE", "FRAUDSTREAM_CASES_PASSWORD_FILE")]
)  # fmt: skip
def test_production_verifies_the_server_and_needs_a_password(missing: str, named: str) -> None:
    whole = URL | {
        "FRAUDSTREAM_DEPLOYMENT_STAGE": "production",
        "FRAUDSTREAM_CASES_TLS_CA_FILE": "/ca.pem",
        "FRAUDSTREAM_CASES_PASSWORD_FILE": "/password",
        "FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL": "tls",
        "FRAUDSTREAM_TOPICS_REPLICATION_FACTOR": "3",
    }
    Settings.from_env(whole)
    del whole[f"FRAUDSTREAM_CASES_{missing}"]

    with pytest.raises(ConfigurationError, match=named):
        Settings.from_env(whole)


def test_the_group_is_watched_where_it_has_a_database() -> None:
    assert "fraudstream-cases" not in Settings.from_env({}).groups()
    assert "fraudstream-cases" in Settings.from_env(URL).groups()
