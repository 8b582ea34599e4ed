"""The extra that brings Avro, Protobuf and the registry's client: what needs it is imported behind ``require_extra``."""

import warnings

from app.errors import ConfigurationError


def require_extra(setting: str) -> None:
    """Raises ConfigurationError where the extra is not installed; ``setting`` is what asks for it."""
    try:
        # A library of the client's warns of another one of the client's, past every filter: nothing that our users can mend.
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            import confluent_kafka.schema_registry  # noqa: F401, PLC0415  # slow to import, and not always there
        import fastavro  # noqa: F401, PLC0415
        import google.protobuf  # noqa: F401, PLC0415
    except ImportError as error:
        raise ConfigurationError(
            f"{setting} needs {error.name}, which is not installed: pip install 'fraudstream[registry]'."
        ) from error
