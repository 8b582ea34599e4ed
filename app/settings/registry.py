"""The group REGISTRY."""

from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from app.errors import ConfigurationError
from app.settings.kinds import MIB, Group, Seconds


class RegistrySettings(Group, frozen=True, kw_only=True):
    """The schema registry for values in Avro and Protobuf; docs/data/schemas.md. Any registry with the Confluent API."""

    url: str = ""
    """`https://HOST:PORT/PATH`; the path of Apicurio is `/apis/ccompat/v7`. Empty: all values are JSON."""
    username: str = ""
    """User of HTTP basic authentication; empty for none."""
    password_file: str = ""
    """File with the password. The URL may not hold one: `ps` and crash reports show the environment."""
    tls_ca_file: str = ""
    """PEM file of the authorities that sign the registry's certificate. Empty: the system's authorities."""
    timeout_seconds: Seconds = 5.0
    """Longest wait for one answer. Workers request each schema id once; scoring of other partitions continues."""
    schema_bytes: Annotated[int, Meta(ge=1024, le=16 * MIB)] = 512 * 1024
    """Longest schema, together with those that it references. Values of a longer one are dead letters, `schema_mismatch`."""
    cached_schemas_bytes: Annotated[int, Meta(ge=1024, le=256 * MIB)] = 4 * MIB
    """Length of all schemas that are cached together, at least that of one; read, they take some fifty times as much memory. Beyond
    it cached schemas stay in use, and values of further ones are dead letters, `unknown_schema`."""
    when_away: Literal["wait", "dead_letter"] = "wait"
    """Handling of a record with an unknown schema id while the registry does not answer. `wait`: its partition waits, and
    `/readyz` reports it. `dead_letter`: the record becomes a dead letter with the reason `registry_away`, to be replayed
    later. Records with known ids are decoded in both cases.
    """
    output_format: Literal["json", "avro", "protobuf"] = "json"
    """Format of decisions and alerts. Before `avro` or `protobuf`, run `fraudstream schemas register`."""
    schema_id_in: Literal["value", "header"] = "value"
    """Place of the schema id in decisions and alerts: before the value, or in the header `__value_schema_id`. When
    records are read, both are accepted.
    """


def check_registry(registry: RegistrySettings) -> None:
    """Raise ConfigurationError if fields contradict each other. The password file is checked when it is read."""
    url = _address(registry.url)
    if url.username or url.password or url.query:
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_URL may not contain a user, a password or options. Use FRAUDSTREAM_REGISTRY_USERNAME and "
            "FRAUDSTREAM_REGISTRY_PASSWORD_FILE."
        )
    if bool(registry.username) is not bool(registry.password_file):
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_USERNAME and FRAUDSTREAM_REGISTRY_PASSWORD_FILE belong together. Set or unset both."
        )
    if registry.cached_schemas_bytes < registry.schema_bytes:
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_CACHED_SCHEMAS_BYTES must be at least FRAUDSTREAM_REGISTRY_SCHEMA_BYTES: a schema that is read is "
            "cached. Raise the first or lower the second."
        )
    if registry.output_format != "json" and not registry.url:
        raise ConfigurationError(
            f"FRAUDSTREAM_REGISTRY_OUTPUT_FORMAT={registry.output_format} needs FRAUDSTREAM_REGISTRY_URL. Set it."
        )


def _address(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        fits = not text or (url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0)
    except ValueError:  # a port beyond 65535, half an IPv6 address
        fits = False
    if not fits:
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_URL is not the address of a schema registry. Set it to https://HOST:PORT, with the path if it has one."
        )
    return url
