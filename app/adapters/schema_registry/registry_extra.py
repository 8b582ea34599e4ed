"""The optional extra `registry` (Avro, Protobuf, registry client). Call ``require_extra`` before importing its users."""

import warnings

from app.errors import ConfigurationError


def require_extra(setting: str) -> None:
    """Raise ConfigurationError, naming ``setting``, unless the extra is installed."""
    try:
        # A dependency of the client resets the warning filters and warns about another dependency of the client.
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            import confluent_kafka.schema_registry  # noqa: F401, PLC0415  # slow to import, and not always there
        import fastavro  # noqa: F401, PLC0415
        import google.protobuf  # noqa: F401, PLC0415
    except ImportError as error:
        raise ConfigurationError(
            f"{setting} needs {error.name}, which is not installed: pip install 'fraudstream[registry]'."
        ) from error
