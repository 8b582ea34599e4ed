"""What the doctor asks of the schema registry: whether it answers, and has the schemas that workers publish with."""

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.subjects import subjects
from app.errors import ConfigurationError, RegistryAway
from app.operations.finding import Finding, failed, ok
from app.settings import Settings

CHECK = "registry"
REGISTER = "`fraudstream schemas register`; workers that publish with them do not start before."


def check_registry(settings: Settings) -> Finding:
    """Blocks while it is asked."""
    if not settings.registry.url:
        return ok(CHECK, "not configured: values are JSON")
    try:
        require_extra("FRAUDSTREAM_REGISTRY_URL")
        missing = _unregistered(settings)
    except ConfigurationError as error:
        return failed(CHECK, str(error), "Nothing was asked.")
    except RegistryAway as error:
        return failed(
            CHECK,
            str(error),
            "Until then values with known schemas are read, and others wait or are dead letters.",
        )
    if missing:
        return failed(CHECK, f"lacks this release's schemas of {', '.join(missing)}", REGISTER)
    return ok(CHECK, "answers")


def _unregistered(settings: Settings) -> list[str]:
    from app.adapters.schema_registry.client import Registry  # noqa: PLC0415
    from app.adapters.serde.event_encoder import own_schema  # noqa: PLC0415  # behind the extra

    registry, form = Registry(settings.registry), settings.registry.output_format
    registry.require()
    if form == "json":
        return []
    named = subjects(settings.topics)
    return [
        name
        for name in ("decisions", "alerts")
        if registry.id_of(named[name].name, own_schema(named[name].event, form)) is None
    ]
