"""Check of the schema registry for ``fraudstream doctor``: it answers and has the schemas that workers publish with."""

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.subjects import subjects
from app.errors import ConfigurationError, RegistryAway
from app.operations.finding import Finding, failed, ok
from app.settings import Settings

CHECK = "registry"
REGISTER = (
    "Run `fraudstream schemas register`; workers that publish with these schemas do not start without them."
)


def check_registry(settings: Settings) -> Finding:
    """Check the registry. Blocks until it answers."""
    if not settings.registry.url:
        return ok(CHECK, "not configured: values are JSON")
    try:
        require_extra("FRAUDSTREAM_REGISTRY_URL")
        missing = _unregistered(settings)
    except ConfigurationError as error:
        return failed(CHECK, str(error), "The registry was not contacted.")
    except RegistryAway as error:
        return failed(
            CHECK,
            str(error),
            "Meanwhile values with cached schemas are read; others wait or become dead letters.",
        )
    if missing:
        return failed(CHECK, f"lacks this release's schemas of {', '.join(missing)}", REGISTER)
    return ok(CHECK, "answers")


def _unregistered(settings: Settings) -> list[str]:
    from app.adapters.schema_registry.client import RegistryClient  # noqa: PLC0415
    from app.adapters.serde.event_encoder import own_schema  # noqa: PLC0415  # behind the extra

    registry, form = RegistryClient(settings.registry), settings.registry.output_format
    registry.require()
    if form == "json":
        return []
    named = subjects(settings.topics)
    return [
        name
        for name in ("decisions", "alerts")
        if registry.id_of(named[name].name, own_schema(named[name].event, form)) is None
    ]
