"""Faust's credentials, the same as those of every other Kafka client."""

from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials

from app.adapters.kafka.security import client_options
from app.settings import KafkaSettings


def faust_credentials(kafka: KafkaSettings) -> Credentials | None:
    """Make Faust's credentials, every field given: Faust defaults to a password sent in plain text. Raises ConfigurationError."""
    if kafka.security_protocol == "plaintext":
        return None
    options = client_options(kafka)
    context = options["ssl_context"]
    if kafka.security_protocol == "tls":
        return SSLCredentials(context)
    if kafka.sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=options["sasl_oauth_token_provider"], ssl_context=context)
    return SASLCredentials(
        username=options["sasl_plain_username"],
        password=options["sasl_plain_password"],
        ssl_context=context,
        mechanism=kafka.sasl_mechanism,
    )
