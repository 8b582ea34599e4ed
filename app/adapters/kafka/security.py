"""TLS and SASL of Kafka clients: from settings and files to aiokafka's arguments.

Host names are always verified. Secrets are read from files when a client is created, and no message holds one.
"""

import ssl
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from app.adapters import tls
from app.adapters.kafka.client import closing, rebootstrap
from app.adapters.kafka.oauth import FetchedTokens, FileTokens, NoToken
from app.adapters.kafka.record_batches import limits
from app.domain.words import named
from app.errors import ConfigurationError
from app.settings import KafkaSettings

Cluster = KafkaSettings | str
"""Settings, or the address of brokers without TLS and SASL, such as those of the local stack."""

_PREFIX = "FRAUDSTREAM_KAFKA_"
_NAMES = {"plaintext": "PLAINTEXT", "tls": "SSL", "sasl_tls": "SASL_SSL", "sasl_plaintext": "SASL_PLAINTEXT"}
_PROBE_TIMEOUT_MS = 5_000


def servers(cluster: Cluster) -> str:
    """The bootstrap servers, host:port, separated by commas."""
    return cluster if isinstance(cluster, str) else cluster.bootstrap_servers


def client_options(cluster: Cluster) -> dict[str, Any]:
    """Arguments of every aiokafka client. Raises ConfigurationError when a certificate, key or secret file is unusable."""
    rebootstrap.install()
    closing.install()
    limits.use(cluster)
    if isinstance(cluster, str):
        return {"bootstrap_servers": cluster}
    return {"bootstrap_servers": cluster.bootstrap_servers, **_identity(cluster)}


async def explain_refusal(cluster: Cluster) -> None:
    """Connect once more after a failure to find its cause: aiokafka only logs it and raises a general error.

    Raises ConfigurationError when certificates or credentials are the cause; returns otherwise.
    """
    if isinstance(cluster, str) or cluster.security_protocol == "plaintext":
        return
    for server in cluster.bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_PROBE_TIMEOUT_MS, **_identity(cluster)
            )
            connection.close()
        except NoToken as error:
            raise ConfigurationError(str(error)) from None
        except (OSError, KafkaError) as error:
            if meaning := _meaning(cluster, error):
                raise ConfigurationError(f"{server.strip()}: {meaning}") from None


def read_file(setting: str, path: str) -> str:
    """The text of the file that ``setting`` (without its prefix) names. Raises ConfigurationError without the text."""
    return tls.read_file(_PREFIX + setting, path)


def _identity(kafka: KafkaSettings) -> dict[str, Any]:
    options: dict[str, Any] = {"security_protocol": _NAMES[kafka.security_protocol], "ssl_context": None}
    if kafka.security_protocol in {"tls", "sasl_tls"}:
        options["ssl_context"] = tls.client_context(_PREFIX, kafka)
    if kafka.security_protocol in {"sasl_tls", "sasl_plaintext"}:
        options |= _sasl(kafka, options["ssl_context"])
    return options


def _sasl(kafka: KafkaSettings, context: ssl.SSLContext | None) -> dict[str, Any]:
    if kafka.sasl_mechanism == "OAUTHBEARER":
        return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": _tokens(kafka, context)}
    return {
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_username,
        "sasl_plain_password": read_file("SASL_PASSWORD_FILE", kafka.sasl_password_file),
    }


def _tokens(kafka: KafkaSettings, context: ssl.SSLContext | None) -> FileTokens | FetchedTokens:
    if kafka.oauth_token_file:
        read_file("OAUTH_TOKEN_FILE", kafka.oauth_token_file)
        return FileTokens(lambda: read_file("OAUTH_TOKEN_FILE", kafka.oauth_token_file))
    read_file("OAUTH_CLIENT_SECRET_FILE", kafka.oauth_client_secret_file)
    return FetchedTokens(
        kafka.oauth_token_url,
        kafka.oauth_client_id,
        lambda: read_file("OAUTH_CLIENT_SECRET_FILE", kafka.oauth_client_secret_file),
        context,
    )


def _meaning(kafka: KafkaSettings, error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(kafka, error)
    if isinstance(error, ssl.SSLError):
        return (
            f"TLS fails ({error.reason}). Correct {_PREFIX}SECURITY_PROTOCOL or the port in "
            f"{_PREFIX}BOOTSTRAP_SERVERS, and look at {_PREFIX}TLS_CERT_FILE."
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"this listener does not offer {_PREFIX}SASL_MECHANISM={kafka.sasl_mechanism}. Correct it."
    if isinstance(error, SaslAuthenticationFailed):
        return _denial(kafka)
    # With TLS 1.3 a broker rejects a client certificate after the handshake, by closing the connection.
    if "tls" in kafka.security_protocol and isinstance(error, KafkaError):
        return (
            f"the broker closed the connection after the TLS handshake ({named(error)}). If it asks for a "
            f"client certificate, {_PREFIX}TLS_CERT_FILE must name one that it trusts, and {_PREFIX}TLS_KEY_FILE its "
            f"key; otherwise correct {_PREFIX}SECURITY_PROTOCOL."
        )
    return ""


def _distrust(kafka: KafkaSettings, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in {tls.OTHER_HOST, tls.OTHER_ADDRESS}:
        return (
            f"the broker's certificate is for another host. Name the broker in {_PREFIX}BOOTSTRAP_SERVERS as its "
            "certificate does, or have one issued for this name."
        )
    if error.verify_code == tls.EXPIRED:
        return "the broker's certificate has expired. Have it renewed, and look at this machine's clock."
    authority = kafka.tls_ca_file or "(the system's authorities)"
    return (
        f"the broker's certificate is not trusted ({error.verify_message}). {_PREFIX}TLS_CA_FILE={authority} must "
        "hold the authority that signed it."
    )


def _denial(kafka: KafkaSettings) -> str:
    if kafka.sasl_mechanism == "OAUTHBEARER":
        return f"the broker refuses the token. Check {_PREFIX}OAUTH_CLIENT_ID and the issuers that the broker trusts."
    return (
        f"the broker refuses {_PREFIX}SASL_USERNAME={kafka.sasl_username} with the password in "
        f"{_PREFIX}SASL_PASSWORD_FILE={kafka.sasl_password_file}. Correct one of them."
    )
