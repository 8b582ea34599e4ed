"""The sizes of a bundle that an operator may change."""

from typing import NamedTuple

from app.settings import ModelSettings


class Limits(NamedTuple):
    """See the settings of the same names."""

    bundle_bytes: int
    golden_rows: int
    tree_nodes: int

    @classmethod
    def by(cls, settings: ModelSettings) -> "Limits":
        return cls(settings.max_bundle_bytes, settings.max_golden_rows, settings.max_tree_nodes)


DEFAULT_LIMITS = Limits.by(ModelSettings())
