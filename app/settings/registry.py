"""The group REGISTRY."""

from typing import Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from app.errors import ConfigurationError
from app.settings.kinds import Seconds


class RegistrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The schema registry, for values in Avro and Protobuf; docs/data/schemas.md. Any that speaks Confluent's API."""

    url: str = ""
    """`https://HOST:PORT/PATH`; Apicurio's path is `/apis/ccompat/v7`. Empty: values are JSON, in and out."""
    username: str = ""
    """Of HTTP's basic authentication; empty for none."""
    password_file: str = ""
    """Holds the password. None stands in the URL: the environment shows in `ps` and in crash reports."""
    tls_ca_file: str = ""
    """PEM of the authorities that sign the registry's certificate; empty takes the system's."""
    timeout_seconds: Seconds = 5.0
    """Of one question. Workers ask once for each schema id, beside the scoring."""
    when_away: Literal["wait", "dead_letter"] = "wait"
    """What becomes of a record whose schema id is not known yet while the registry does not answer. `wait`: its
    partition waits, and `/readyz` says so. `dead_letter`: it goes there as `registry_away`, to be replayed. Known ids
    are read either way.
    """
    output_format: Literal["json", "avro", "protobuf"] = "json"
    """Of decisions and alerts. Other than json: `fraudstream schemas register` comes first."""
    schema_id_in: Literal["value", "header"] = "value"
    """Where the schema's id stands in decisions and alerts: before the value, or in the header `__value_schema_id`.
    Both are read, whatever is set here.
    """


def check_registry(registry: RegistrySettings) -> None:
    """Raise ConfigurationError where fields do not fit each other; the file is read where it is used."""
    url = _address(registry.url)
    if url.username or url.password or url.query:
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_URL may hold neither user nor password nor options. Use FRAUDSTREAM_REGISTRY_USERNAME and "
            "FRAUDSTREAM_REGISTRY_PASSWORD_FILE."
        )
    if bool(registry.username) is not bool(registry.password_file):
        raise ConfigurationError(
            "FRAUDSTREAM_REGISTRY_USERNAME and FRAUDSTREAM_REGISTRY_PASSWORD_FILE belong together. Set or unset both."
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
            "FRAUDSTREAM_REGISTRY_URL is no address of a schema registry. Give https://HOST:PORT, with a path where it has one."
        )
    return url
