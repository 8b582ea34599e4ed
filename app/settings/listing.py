"""All settings by their names in the environment."""

from collections.abc import Iterator

from msgspec.structs import fields

from app.settings.environment import groups_of
from app.settings.groups import Settings
from app.settings.kinds import variable


def setting_names() -> Iterator[tuple[str, object]]:
    """Yield the environment name and the default of every setting."""
    yield from values(Settings()).items()


def values(settings: Settings) -> dict[str, object]:
    """Return the current value of every setting by environment name."""
    return {
        variable(name, field.name): getattr(getattr(settings, name), field.name)
        for name, group in groups_of(Settings)
        for field in fields(group)
    }
