"""Which settings of security do not go together, and what production refuses."""

import pytest

from app.errors import ConfigurationError
from app.settings import Settings

TLS = {"FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL": "tls"}
THREE = {"FRAUDSTREAM_TOPICS_REPLICATION_FACTOR": "3"}
PRODUCTION = {"FRAUDSTREAM_DEPLOYMENT_STAGE": "production"}
REDIS = {"FRAUDSTREAM_REDIS_URL": "rediss://redis.example:6380/2"}
SASL = {"FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL": "sasl_tls"}
OAUTH = SASL | {
    "FRAUDSTREAM_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
    "FRAUDSTREAM_KAFKA_OAUTH_CLIENT_ID": "risk",
    "FRAUDSTREAM_KAFKA_OAUTH_CLIENT_SECRET_FILE": "/run/secrets/risk",
}


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        (PRODUCTION | THREE, "FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL"),
        (PRODUCTION | TLS, "FRAUDSTREAM_TOPICS_REPLICATION_FACTOR"),
        (
            PRODUCTION
            | THREE
            | {
                "FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL": "sasl_plaintext",
                "FRAUDSTREAM_KAFKA_SASL_USERNAME": "risk",
                "FRAUDSTREAM_KAFKA_SASL_PASSWORD_FILE": "/run/secrets/risk",
            },
            "FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL",
        ),
        (SASL, "FRAUDSTREAM_KAFKA_SASL_USERNAME"),
        (SASL | {"FRAUDSTREAM_KAFKA_SASL_USERNAME": "risk"}, "FRAUDSTREAM_KAFKA_SASL_PASSWORD_FILE"),
        (OAUTH, "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL"),
        (
            OAUTH | {"FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL": "http://tokens.example/token"},
            "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL",
        ),
        (TLS | {"FRAUDSTREAM_KAFKA_TLS_CERT_FILE": "/run/client.pem"}, "FRAUDSTREAM_KAFKA_TLS_KEY_FILE"),
        (
            PRODUCTION
            | THREE
            | TLS
            | {
                "FRAUDSTREAM_REDIS_URL": "redis://redis.example",
                "FRAUDSTREAM_REDIS_PASSWORD_FILE": "/run/secrets/redis",
            },
            "FRAUDSTREAM_REDIS_URL",
        ),
        (PRODUCTION | THREE | TLS | REDIS, "FRAUDSTREAM_REDIS_PASSWORD_FILE"),
        ({"FRAUDSTREAM_REDIS_URL": "redis.example:6379"}, "FRAUDSTREAM_REDIS_URL"),
        ({"FRAUDSTREAM_REDIS_URL": "rediss://:secret@redis.example"}, "FRAUDSTREAM_REDIS_PASSWORD_FILE"),
        ({"FRAUDSTREAM_REDIS_URL": "rediss://redis.example/0?ssl_cert_reqs=none"}, "FRAUDSTREAM_REDIS_URL"),
        ({"FRAUDSTREAM_REDIS_URL": "rediss://redis.example/first"}, "FRAUDSTREAM_REDIS_URL"),
        ({"FRAUDSTREAM_REDIS_URL": "rediss://redis.example:70000"}, "FRAUDSTREAM_REDIS_URL"),
        (
            PRODUCTION
            | THREE
            | TLS
            | {"FRAUDSTREAM_TRACING_OTLP_URL": "http://collector.example:4318/v1/traces"},
            "FRAUDSTREAM_TRACING_OTLP_URL",
        ),
        (
            PRODUCTION | THREE | TLS | {"FRAUDSTREAM_TRACING_OTLP_URL": "HTTP://127.0.0.1:4318/v1/traces"},
            "FRAUDSTREAM_TRACING_OTLP_URL",
        ),
        ({"FRAUDSTREAM_TRACING_OTLP_URL": "collector.example:4318"}, "FRAUDSTREAM_TRACING_OTLP_URL"),
        (REDIS | {"FRAUDSTREAM_REDIS_TLS_KEY_FILE": "/run/client.key"}, "FRAUDSTREAM_REDIS_TLS_CERT_FILE"),
        (REDIS | {"FRAUDSTREAM_REDIS_USERNAME": "risk"}, "FRAUDSTREAM_REDIS_PASSWORD_FILE"),
    ],
)
def test_refused_by_the_settings_name(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_env(environment)


@pytest.mark.parametrize(
    "environment",
    [
        PRODUCTION | THREE | TLS,
        PRODUCTION | THREE | TLS | REDIS | {"FRAUDSTREAM_REDIS_PASSWORD_FILE": "/run/secrets/redis"},
        {"FRAUDSTREAM_REDIS_URL": "redis://127.0.0.1:6379/0"},
        {"FRAUDSTREAM_TRACING_OTLP_URL": "http://127.0.0.1:4318/v1/traces"},
        PRODUCTION
        | THREE
        | TLS
        | {"FRAUDSTREAM_TRACING_OTLP_URL": "https://collector.example:4318/v1/traces"},
        OAUTH | {"FRAUDSTREAM_KAFKA_OAUTH_TOKEN_URL": "https://tokens.example/token"},
        SASL
        | {
            "FRAUDSTREAM_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "FRAUDSTREAM_KAFKA_OAUTH_TOKEN_FILE": "/run/secrets/token",
        },
    ],
)
def test_accepted(environment: dict[str, str]) -> None:
    assert Settings.from_env(environment)


def test_a_secret_in_the_url_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_env({"FRAUDSTREAM_REDIS_URL": "rediss://:canary-secret@redis.example"})

    assert "canary-secret" not in str(refused.value)
