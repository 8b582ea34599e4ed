"""Checks for the stage `production`: settings that are only fit for a laptop are rejected."""

from app.errors import ConfigurationError
from app.settings.kafka import KafkaSettings
from app.settings.redis import RedisSettings
from app.settings.registry import RegistrySettings
from app.settings.topics import TopicSettings
from app.settings.tracing import TracingSettings

PRODUCTION_REPLICAS = 3


def check_production_kafka(kafka: KafkaSettings) -> None:
    """Raise ConfigurationError if the connection to the brokers is not encrypted."""
    if kafka.security_protocol not in {"tls", "sasl_tls"}:
        raise ConfigurationError(
            f"FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL={kafka.security_protocol} is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: customers' data would cross the network unencrypted. "
            "Set it to sasl_tls or tls."
        )


def check_replicas(topics: TopicSettings) -> None:
    """Raise ConfigurationError if the loss of one broker's disk could lose records."""
    if topics.replication_factor < PRODUCTION_REPLICAS:
        raise ConfigurationError(
            f"FRAUDSTREAM_TOPICS_REPLICATION_FACTOR={topics.replication_factor} is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: one lost disk would lose acknowledged records. Set it to 3."
        )


def check_production_redis(redis: RedisSettings) -> None:
    """Raise ConfigurationError if the connection to Redis is not encrypted or needs no password."""
    if redis.url.startswith("redis://"):
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: data about customers "
            "would cross the network unencrypted. Start it with rediss://."
        )
    if redis.url and not redis.password_file:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_PASSWORD_FILE is not set, which is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: anyone with access to Redis could change scores. Set it."
        )


def check_production_registry(registry: RegistrySettings) -> None:
    """Raise ConfigurationError if the connection to the schema registry is not encrypted."""
    if registry.url.startswith("http://"):
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_URL is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: an altered schema would "
            "change how records are read, and a password would cross the network unencrypted. Start it with https://."
        )


def check_production_tracing(tracing: TracingSettings) -> None:
    """Raise ConfigurationError if the connection to the collector is not encrypted."""
    if tracing.otlp_url and not tracing.otlp_url.startswith("https://"):
        raise ConfigurationError(
            "FRAUDSTREAM_TRACING_OTLP_URL is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: outcomes and the "
            "credentials of the collector would cross the network unencrypted. Start it with https://."
        )
