"""The group LISTS."""

from typing import Annotated

from msgspec import Meta

from app.settings.kinds import Group


class ListSettings(Group, frozen=True, kw_only=True):
    """The lists of rules; docs/models/lists.md."""

    max_entries: Annotated[int, Meta(ge=1, le=50_000_000)] = 5_000_000
    """Most entries of all lists together, with 64 bytes each as a mean. The default takes at most 512 MiB of each risk worker, and only
    as much as there are entries. A worker that cannot hold all entries does not run; `fraudstream lists` refuses to add more."""
