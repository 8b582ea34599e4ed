"""What is only fit for a laptop, and refused in production."""

from app.errors import ConfigurationError
from app.settings.kafka import KafkaSettings
from app.settings.redis import RedisSettings
from app.settings.registry import RegistrySettings
from app.settings.topics import TopicSettings

PRODUCTION_REPLICAS = 3


def check_production_kafka(kafka: KafkaSettings) -> None:
    """Raise ConfigurationError when the brokers are reached unencrypted."""
    if kafka.security_protocol not in {"tls", "sasl_tls"}:
        raise ConfigurationError(
            f"FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL={kafka.security_protocol} is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: customers' data would cross the network readable. "
            "Set it to sasl_tls or tls."
        )


def check_replicas(topics: TopicSettings) -> None:
    """Raise ConfigurationError when a broker's disk may not be lost."""
    if topics.replication_factor < PRODUCTION_REPLICAS:
        raise ConfigurationError(
            f"FRAUDSTREAM_TOPICS_REPLICATION_FACTOR={topics.replication_factor} is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: one lost disk would lose acknowledged records. Set it to 3."
        )


def check_production_redis(redis: RedisSettings) -> None:
    """Raise ConfigurationError when others could read or change what Redis holds."""
    if redis.url.startswith("redis://"):
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_URL is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: what is known of customers "
            "would cross the network readable. Begin it with rediss://."
        )
    if redis.url and not redis.password_file:
        raise ConfigurationError(
            "FRAUDSTREAM_REDIS_PASSWORD_FILE is not set, which is refused with "
            "FRAUDSTREAM_DEPLOYMENT_STAGE=production: whoever reaches Redis could change scores. Set it."
        )


def check_production_registry(registry: RegistrySettings) -> None:
    """Raise ConfigurationError when others could change how records are read."""
    if registry.url.startswith("http://"):
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_URL is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: who alters schemas on the way "
            "alters what is read, and a password would cross the network readable. Begin it with https://."
        )
